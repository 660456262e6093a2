"""KL(baseline‖model) on texts: what both models' full logits give, however the text is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pytest_forgetting.answers import likelihood
from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.divergence import OTHER_TOKENS, OTHER_WINDOWS, measure_divergence
from pytest_forgetting.answers.engine import DivergenceTask
from pytest_forgetting.answers.requests import Request
from pytest_forgetting.models.loading import LoadedPair, LoadOptions
from pytest_forgetting.models.references import resolve
from tests.scoring import PLAIN, divergence, logits, speaking
from tests.tiny_models import TEXTS, tiny_adapter, tiny_llama, tiny_other, tiny_tokenizer

SHORT, LONG = TEXTS[0], " ".join(TEXTS) + " " + TEXTS[1]


def measured(baseline: Path, model: Path, *texts: str) -> list[Answer]:
    """What is said of each text."""
    pair = LoadedPair({"baseline": resolve(str(baseline)), "model": resolve(str(model))}, LoadOptions(device="cpu"))
    found: dict[Request, Answer] = {}
    asked = [Request("", (), continuations=(text,)) for text in texts]
    task = DivergenceTask(tuple(asked), {"baseline": PLAIN, "model": PLAIN})
    measure_divergence(pair, task, lambda answers: found.update({asked[n]: answer for n, answer in answers.items()}))
    return [found[request] for request in asked]


def plain(folder: Path) -> Any:
    """The model in `folder` as transformers loads it."""
    return AutoModelForCausalLM.from_pretrained(folder)


def ids_of(folder: Path, text: str) -> list[int]:
    """The tokens of a text behind the one that it begins with."""
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    return [tokenizer.bos_token_id, *tokenizer(text)["input_ids"]]


@pytest.mark.parametrize("piece", [5, 1000])
@pytest.mark.parametrize("other", ["llama", "mistral", "gpt2", "mamba"])
def test_it_is_that_of_both_models_full_logits(
    tmp_path: Path, other: str, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In pieces or whole, also where the two are built otherwise; with the number of tokens beside it."""
    one = tiny_llama(tmp_path / "one")
    two = tiny_llama(tmp_path / "two", seed=2) if other == "llama" else tiny_other(tmp_path / "two", other)
    monkeypatch.setattr(likelihood, "PIECE", piece)
    for text, found in zip((SHORT, LONG), measured(one, two, SHORT, LONG), strict=True):
        ids = ids_of(one, text)
        assert found.loglikelihoods == pytest.approx((divergence(plain(one), plain(two), ids), len(ids) - 1), rel=1e-4)


@pytest.mark.parametrize("piece", [5, 1000])
def test_an_adapter_and_its_base_are_read_in_step(tmp_path: Path, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """They share weights: between pieces the adapter is switched on and off, and neither sees the other's past."""
    base = tiny_llama(tmp_path / "base")
    adapter = tiny_adapter(tmp_path / "adapter", base)
    monkeypatch.setattr(likelihood, "PIECE", piece)
    (found,) = measured(base, adapter, LONG)
    adapted: Any = peft.PeftModel.from_pretrained(plain(base), str(adapter))
    assert found.loglikelihoods[0] == pytest.approx(divergence(plain(base), adapted, ids_of(base, LONG)), rel=1e-4)
    assert found.loglikelihoods[0] > 1


def test_a_model_does_not_diverge_from_itself(tmp_path: Path) -> None:
    """Equal weights in two folders: exactly nothing."""
    one, two = tiny_llama(tmp_path / "one"), tiny_llama(tmp_path / "two")
    assert measured(one, two, LONG)[0].loglikelihoods[0] == 0


def test_tokens_that_only_one_model_has_are_left_out(tmp_path: Path) -> None:
    """A vocabulary grown by the tuning is compared over what both know."""
    one, two = tiny_llama(tmp_path / "one"), tiny_llama(tmp_path / "two", seed=2, vocab_size=300)
    (found,) = measured(one, two, LONG)
    expected = divergence(plain(one), plain(two), ids_of(one, LONG))
    assert found.loglikelihoods[0] == pytest.approx(expected, rel=1e-4)


def test_texts_beyond_the_context_are_read_in_windows(tmp_path: Path) -> None:
    """Each token is predicted once, from as much as the context holds."""
    one, two = (tiny_llama(tmp_path / str(n), seed=n, max_position_embeddings=16) for n in range(2))
    (found,) = measured(one, two, LONG)
    with speaking(one) as loaded:
        windows = likelihood.parts_of(loaded, Request("", (), continuations=(LONG,)), PLAIN)
    expected = 0.0
    for part in windows:
        p, q = (logits(plain(each), part.before + part.scored)[:-1][-len(part.scored) :] for each in (one, two))
        expected += float((p.softmax(-1) * (p.log_softmax(-1) - q.log_softmax(-1))).sum())
    assert found.loglikelihoods == pytest.approx((expected, len(ids_of(one, LONG)) - 1), rel=1e-4)


def test_other_tokens_and_other_windows_are_not_compared(tmp_path: Path) -> None:
    """Two tokenizers predict other things; two contexts predict them from other things. Each is said."""
    one = tiny_llama(tmp_path / "one")
    words = tiny_tokenizer()
    words.add_tokens(["capital"])
    two = tiny_llama(tmp_path / "two", tokenizer=words)
    short = tiny_llama(tmp_path / "short", max_position_embeddings=16)
    assert [found.reason for found in measured(one, two, SHORT, "A")] == [OTHER_TOKENS, None]
    assert [found.reason for found in measured(one, short, LONG, "A")] == [OTHER_WINDOWS, None]


def test_what_is_no_number_is_not_kept_as_one(tmp_path: Path) -> None:
    """NaN weights give no divergence, and say why."""
    one, two = tiny_llama(tmp_path / "one"), tiny_llama(tmp_path / "two")
    broken = plain(two)
    with torch.no_grad():
        broken.lm_head.weight.fill_(float("nan"))
    broken.save_pretrained(two)
    (found,) = measured(one, two, SHORT)
    assert (found.finish, found.reason) == ("unanswered", "the model's logits are not numbers (NaN)")


def test_a_text_without_tokens_is_not_measured(tmp_path: Path) -> None:
    """It is told and not raised, and the texts beside it are measured."""
    from tokenizers import normalizers

    silent = tiny_tokenizer()
    silent.backend_tokenizer.normalizer = normalizers.Replace("\u200b", "")
    one, two = (tiny_llama(tmp_path / str(n), seed=n, tokenizer=silent) for n in range(2))
    odd, fine = measured(one, two, "\u200b", SHORT)
    assert str(odd.reason).endswith("has no tokens of its own")
    assert fine.finish == "scored"


def test_a_lack_of_memory_leaves_a_text_unmeasured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is only reported stops no run; the texts that fit are measured."""
    pieces = likelihood.Scorer.pieces

    def cramped(self: likelihood.Scorer, part: likelihood.Part, *, whole: bool = False) -> Any:
        if len(part.scored) > 20:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return pieces(self, part, whole=whole)

    monkeypatch.setattr(likelihood.Scorer, "pieces", cramped)
    one, two = (tiny_llama(tmp_path / str(n), seed=n) for n in range(2))
    with pytest.raises(KeyError):
        measured(one, two, LONG)
    assert measured(one, two, "A")[0].finish == "scored"
