"""Log-likelihoods of given texts: what one plain forward pass of transformers gives, however they are batched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pytest_forgetting.answers import asking, likelihood
from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.asking import Scoring
from pytest_forgetting.answers.batch_sizes import bytes_per_scored_row
from pytest_forgetting.answers.likelihood import Part, Scorer, parts_of
from pytest_forgetting.answers.requests import Conditions, Request
from pytest_forgetting.errors import CannotAnswer
from pytest_forgetting.models.loading import LoadedModel
from tests.scoring import PLAIN, answers, loglikelihood, speaking
from tests.tiny_models import tiny_adapter, tiny_llama, tiny_other, tiny_tokenizer

ARCHITECTURES = ("llama", "gpt2", "mistral", "mamba")
CHOICES = (" Paris", " Rome, I believe", " 7", " the")
PROMPTS = ("Q:", "Question: What is the capital of France?\nAnswer:", "It is said that " * 4, "A trailing blank \n")
TEXT = "The capital of France is Paris. Rome is the capital of Italy; 15 multiplied by 7 is 105. " * 2


def made(folder: Path, kind: str) -> Path:
    """A tiny model of an architecture."""
    return tiny_llama(folder / kind) if kind == "llama" else tiny_other(folder / kind, kind)


def asked() -> list[Request]:
    """Choices behind prompts of several lengths, and whole texts."""
    choosing = [Request(f"{prompt}", (), continuations=CHOICES[n % 2 :]) for n, prompt in enumerate(PROMPTS)]
    return [*choosing, Request("", (), continuations=("A text.",)), Request("", (), continuations=(TEXT[:70],))]


def alone(folder: Path, request: Request) -> list[float]:
    """The same by transformers alone, prompt by prompt and choice by choice."""
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    text = request.text or ""
    found = []
    for continuation in request.continuations:
        before = tokenizer(text.rstrip())["input_ids"]
        whole = tokenizer(text + continuation)["input_ids"]
        found.append(loglikelihood(model, before or [tokenizer.bos_token_id], whole[len(before) :]))
    return found


def scores(found: list[Answer]) -> list[float]:
    """All of them in a row."""
    assert {answer.finish for answer in found} == {"scored"}
    return [score for answer in found for score in answer.loglikelihoods]


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_scores_are_those_of_one_plain_forward_pass(tmp_path: Path, kind: str) -> None:
    """At 1, 3, 64 rows and as many as fit, forwards and backwards, to 1e-5."""
    folder = made(tmp_path, kind)
    expected = [score for request in asked() for score in alone(folder, request)]
    with speaking(folder) as loaded:
        for size in (1, 3, 64, None):
            assert scores(answers(loaded, asked(), size)) == pytest.approx(expected, rel=1e-5, abs=1e-4)
            assert scores(answers(loaded, asked()[::-1], size)[::-1]) == pytest.approx(expected, rel=1e-5, abs=1e-4)


@pytest.mark.parametrize("kind", ARCHITECTURES)
@pytest.mark.parametrize("piece", [1, 7, 24])
def test_a_long_text_read_piece_by_piece_is_the_whole(
    tmp_path: Path, kind: str, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before a piece is kept, whatever the architecture keeps it in."""
    folder = made(tmp_path, kind)
    request = Request("", (), continuations=(TEXT[:120],))
    monkeypatch.setattr(likelihood, "PIECE", piece)
    with speaking(folder) as loaded:
        assert parts_of(loaded, request, PLAIN)[0].is_long
        assert scores(answers(loaded, [request])) == pytest.approx(alone(folder, request), rel=1e-5, abs=1e-4)


@pytest.mark.parametrize("piece", [1, 4, 9])
def test_a_long_continuation_is_read_behind_its_prompt(
    tmp_path: Path, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pieces that hold nothing but the prompt are read and not scored."""
    folder = tiny_llama(tmp_path / "m")
    request = Request("It is said that it is so. And", (), continuations=(" so it was for many years.", " no"))
    monkeypatch.setattr(likelihood, "PIECE", piece)
    with speaking(folder) as loaded:
        assert scores(answers(loaded, [request])) == pytest.approx(alone(folder, request), rel=1e-5, abs=1e-4)


def test_long_texts_are_read_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a batch size is given: so many whole texts' logits at once would not fit."""
    seen = []

    class Watched(Scorer):
        def score(self, parts: Any) -> None:
            seen.append([part.is_long for part in parts])
            super().score(parts)

    monkeypatch.setattr(likelihood, "PIECE", 20)
    monkeypatch.setattr(asking, "Scorer", Watched)
    texts = [Request("", (), continuations=(TEXT[n : n + 60],)) for n in range(3)]
    with speaking(tiny_llama(tmp_path / "m")) as loaded:
        answers(loaded, [*texts, *asked()], batch_size=4)
    assert [batch for batch in seen if any(batch)] == [[True]] * 4


def test_windows_of_a_text_beyond_the_context_score_each_token_once(tmp_path: Path) -> None:
    """Every window is as full as the context allows, and no token is left out or scored twice."""
    folder = tiny_llama(tmp_path / "m", max_position_embeddings=32)
    with speaking(folder) as loaded:
        ids = loaded.tokenizer(TEXT)["input_ids"]
        parts = parts_of(loaded, Request("", (), continuations=(TEXT,)), PLAIN)
        found = answers(loaded, [Request("", (), continuations=(TEXT,))])
    whole = [loaded.tokenizer.bos_token_id, *ids]
    assert [token for part in parts for token in part.scored] == ids
    assert [len(part.before) + len(part.scored) for part in parts] == [33] * (len(parts) - 1) + [33]
    ends = [1 + sum(len(part.scored) for part in parts[: n + 1]) for n in range(len(parts))]
    assert [part.before + part.scored for part in parts] == [whole[end - 33 : end] for end in ends]
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    assert scores(found) == pytest.approx(
        [sum(loglikelihood(model, p.before, p.scored) for p in parts)], rel=1e-5, abs=1e-4
    )


@pytest.mark.parametrize("tokens", [31, 32, 33, 64, 65])
def test_a_text_about_as_long_as_the_context_is_scored(tmp_path: Path, tokens: int) -> None:
    """One token less, as many, one more: the last token needs no place in the context."""
    with speaking(tiny_llama(tmp_path / "m", max_position_embeddings=32)) as loaded:
        text = str(loaded.tokenizer.decode(loaded.tokenizer(TEXT)["input_ids"][:tokens]))
        parts = parts_of(loaded, Request("", (), continuations=(text,)), PLAIN)
        assert len(parts) == -(-tokens // 32)
        assert scores(answers(loaded, [Request("", (), continuations=(text,))]))[0] < 0


def test_a_choice_beyond_the_context_is_unanswered(tmp_path: Path) -> None:
    """It is not cut in silence: the reason gives both lengths, and other cases are scored."""
    with speaking(tiny_llama(tmp_path / "m", max_position_embeddings=32)) as loaded:
        long, short = answers(
            loaded, [Request("word " * 30, (), continuations=CHOICES), Request("a", (), continuations=CHOICES)]
        )
    assert long.finish == "unanswered"
    assert long.reason is not None
    assert long.reason.startswith("prompt and continuation have ")
    assert long.reason.endswith(" tokens, the model's context 32")
    assert short.finish == "scored"


def test_a_choice_that_just_fits_is_scored(tmp_path: Path) -> None:
    """The last token is predicted and not read: a context of 32 takes prompt and choice of 33 tokens, not of 34."""
    with speaking(tiny_llama(tmp_path / "m", max_position_embeddings=32)) as loaded:
        prompts = [str(loaded.tokenizer.decode(loaded.tokenizer(TEXT)["input_ids"][:count])) for count in (31, 32)]
        choices = ["\n\n"]  # two tokens of its own behind any prompt
        sizes = [len(loaded.tokenizer(prompt + choices[0])["input_ids"]) for prompt in prompts]
        found = answers(loaded, [Request(prompt, (), continuations=tuple(choices)) for prompt in prompts])
    assert sizes == [33, 34]
    assert [answer.finish for answer in found] == ["scored", "unanswered"]


def test_a_text_that_begins_with_the_first_token_has_it_once(tmp_path: Path) -> None:
    """It stands before every text anyway; a text that is nothing else is still a text."""
    with speaking(tiny_llama(tmp_path / "m")) as loaded:
        texts = ("<s>A cat", "A cat", "<s>")
        parts = [parts_of(loaded, Request("", (), continuations=(text,)), PLAIN)[0] for text in texts]
        begin = loaded.tokenizer.bos_token_id
    assert parts[0].before == parts[1].before == [begin]
    assert parts[0].scored == parts[1].scored
    assert (parts[2].before, parts[2].scored) == ([begin], [begin])


@pytest.mark.parametrize("continuation", [TEXT[:60], " a"])
def test_logits_that_are_no_numbers_are_unanswered(tmp_path: Path, continuation: str) -> None:
    """A model whose weights are NaN prefers nothing, which is not the same as wrong."""
    with speaking(tiny_llama(tmp_path / "m")) as loaded:
        with torch.no_grad():
            next(iter(loaded.model.parameters())).fill_(float("nan"))
        found = answers(loaded, [Request("q", (), continuations=(continuation, " b"))])
    assert (found[0].finish, found[0].reason) == ("unanswered", "the model's logits are not numbers (NaN)")


def test_a_continuation_held_impossible_is_unanswered(tmp_path: Path) -> None:
    """A log-likelihood of −inf is no number to compare with, and JSON has no word for it."""
    with speaking(tiny_llama(tmp_path / "m")) as loaded:
        token = loaded.tokenizer(" a")["input_ids"][-1]
        with torch.no_grad():
            loaded.model.lm_head.register_forward_hook(
                lambda _, __, out: out.index_fill(-1, torch.tensor([token]), -torch.inf)
            )
        found = answers(loaded, [Request("q", (), continuations=(" a", " b")), Request("q", (), continuations=(" c",))])
    told = "the model holds a token of it impossible (a logit of −inf)"
    assert [(answer.finish, answer.reason) for answer in found] == [("unanswered", told), ("scored", None)]


def silent_tokenizer(what: str) -> Any:
    """A tokenizer that makes nothing of `what`."""
    from tokenizers import normalizers

    tokenizer = tiny_tokenizer()
    tokenizer.backend_tokenizer.normalizer = normalizers.Replace(what, "")
    return tokenizer


@pytest.mark.parametrize("prompt", ["q", ""])
def test_a_continuation_without_tokens_of_its_own_is_unanswered(tmp_path: Path, prompt: str) -> None:
    """A tokenizer that drops a text leaves nothing to be scored; it says which text, and others are scored."""
    with speaking(tiny_llama(tmp_path / "m", tokenizer=silent_tokenizer("\u200b"))) as loaded:
        odd, plain = answers(
            loaded, [Request(prompt, (), continuations=("\u200b",)), Request(prompt, (), continuations=("b",))]
        )
    told = f"{chr(0x200B)!r} has no tokens of its own" + (" behind the prompt" if prompt else "")
    assert (odd.finish, odd.reason) == ("unanswered", told)
    assert plain.finish == "scored"


def test_a_chat_template_that_refuses_leaves_its_case_unanswered(tmp_path: Path) -> None:
    """A template may raise whatever it likes."""
    template = "{{ raise_exception('no system turns, please') }}"
    with speaking(tiny_llama(tmp_path / "m")) as loaded:
        request = Request(None, (("user", "q"),), continuations=CHOICES)
        found = answers(loaded, [request], conditions=Conditions("f", template))
    assert found[0].finish == "unanswered"
    assert "no system turns, please" in str(found[0].reason)


@pytest.mark.parametrize("method", ["lora", "prompt", "prefix"])
def test_adapters_of_any_kind_score_as_peft_alone(tmp_path: Path, method: str) -> None:
    """Also those that put virtual tokens in front, which no padding may shift."""
    base = tiny_llama(tmp_path / "base")
    if method == "lora":
        tiny_adapter(tmp_path / "adapter", base)
    else:
        kinds: dict[str, Any] = {"prompt": peft.PromptTuningConfig, "prefix": peft.PrefixTuningConfig}
        config = kinds[method](task_type="CAUSAL_LM", num_virtual_tokens=3)
        peft.get_peft_model(AutoModelForCausalLM.from_pretrained(base), config).save_pretrained(tmp_path / "adapter")
    adapted: Any = peft.PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), tmp_path / "adapter")
    with speaking(tmp_path / "adapter") as loaded:
        ids = [(part.before, part.scored) for request in asked() for part in parts_of(loaded, request, PLAIN)]
        found = scores(answers(loaded, asked()))
    assert found == pytest.approx([_behind_virtual(adapted, *each) for each in ids], rel=1e-5, abs=1e-4)


@torch.no_grad()
def _behind_virtual(adapted: Any, before: list[int], scored: list[int]) -> float:
    """As `loglikelihood`, from the last logits: virtual tokens may have logits too."""
    ids = torch.tensor([before + scored])
    logs = adapted(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0].double().log_softmax(-1)
    rows = logs[-len(scored) - 1 : -1]
    return float(rows.gather(-1, torch.tensor(scored)[:, None]).sum())


def test_a_lack_of_memory_halves_the_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts that do not fit are scored again in smaller batches, and no score changes or is counted twice."""
    sizes = []

    class Cramped(Scorer):
        def score(self, parts: Any) -> None:
            sizes.append(len(parts))
            super().score(parts)
            if len(parts) > 3:
                raise torch.OutOfMemoryError("CUDA out of memory")

    with speaking(tiny_llama(tmp_path / "m")) as loaded:
        expected = scores(answers(loaded, asked()))
        monkeypatch.setattr(asking, "Scorer", Cramped)
        assert scores(answers(loaded, asked())) == pytest.approx(expected, rel=1e-5, abs=1e-4)
    assert sizes[0] > 3
    assert sizes[-1] <= 3


def test_a_text_that_does_not_fit_alone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not even one fits, the message says how long it is and what would help."""

    class Full(Scorer):
        def score(self, parts: Any) -> None:  # noqa: ARG002 - there is no room for any
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")

    monkeypatch.setattr(asking, "Scorer", Full)
    with speaking(tiny_llama(tmp_path / "m")) as loaded, pytest.raises(CannotAnswer, match=r"a text of \d+ tokens"):
        answers(loaded, asked())


def at_once(loaded: LoadedModel, parts: list[Part]) -> int:
    """How many of `parts` are scored at once."""
    return Scoring(loaded, lambda _: None).most(parts)


def test_a_batch_has_room_for_the_logits_of_all_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are read from the first scored token of any of them on: one short prompt makes all the others cost more."""
    alike = [Part([1] * 90, [2, 3]) for _ in range(24)]
    mixed = [*alike[:12], *(Part([1], [2, 3]) for _ in range(12))]
    with speaking(tiny_llama(tmp_path / "m")) as loaded:
        free = 2 * 24 * bytes_per_scored_row(loaded.model, 92, 2)  # half of it is used
        monkeypatch.setattr("pytest_forgetting.answers.batch_sizes.free_bytes", lambda _: free)
        assert at_once(loaded, alike) == 24
        assert at_once(loaded, mixed) == 12
