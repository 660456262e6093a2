"""Batched decoding gives what plain greedy decoding gives, on real models with random weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pytest_forgetting.answers import asking
from pytest_forgetting.answers.answer import Answer, first_part
from pytest_forgetting.answers.asking import ask
from pytest_forgetting.answers.generation import Decoder
from pytest_forgetting.answers.requests import Conditions, Request
from pytest_forgetting.errors import CannotAnswer
from pytest_forgetting.models.loading import LoadedModel, LoadedPair, LoadOptions
from pytest_forgetting.models.references import resolve
from tests.tiny_models import tiny_llama

PROMPTS = [
    "a",
    "The cat sat on",
    "Question: what is the capital of France?\nAnswer:",
    "One two three four five six " * 4,
]


def requests(*, stop: tuple[str, ...] = (), limit: int = 12) -> list[Request]:
    """Prompts of several lengths, twelve in all."""
    return [Request(f"{prompt}{n}", (), stop, limit) for n in range(3) for prompt in PROMPTS]


def answers(loaded: LoadedModel, asked: list[Request], batch_size: int | None = None) -> list[Answer]:
    """Ask in batches."""
    found: dict[int, Answer] = {}
    ask(loaded, asked, Conditions("f", None), found.update, batch_size)
    return [found[n] for n in range(len(asked))]


def speaking(folder: Path) -> Any:
    """The model in `folder`, ready to be asked."""
    return LoadedPair({"model": resolve(str(folder))}, LoadOptions(device="cpu")).speaking("model")


def plain(folder: Path, prompt: str, limit: int) -> list[int]:
    """transformers' own greedy decoding of one prompt."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    ids = tokenizer(prompt, return_tensors="pt")["input_ids"]
    out = model.generate(
        ids, max_new_tokens=limit, do_sample=False, repetition_penalty=1.0, pad_token_id=tokenizer.pad_token_id
    )
    return list(out[0, ids.shape[1] :].tolist())


@pytest.mark.parametrize("seed", range(4))
def test_every_batch_size_gives_plain_greedy_answers(tmp_path: Path, seed: int) -> None:
    """At 1, 7 and 64 rows, each answer's tokens equal unbatched `generate`."""
    folder = tiny_llama(tmp_path / "m", seed=seed)
    expected = [plain(folder, request.text or "", request.max_new_tokens) for request in requests()]
    with speaking(folder) as loaded:
        for size in (1, 7, 64, None):
            assert [list(answer.tokens or ()) for answer in answers(loaded, requests(), size)] == expected


def test_the_checkpoints_own_sampling_settings_are_ignored(tmp_path: Path) -> None:
    """A generation_config with temperature and penalties changes nothing."""
    folder = tiny_llama(tmp_path / "m")
    with speaking(folder) as loaded:
        expected = answers(loaded, requests())
    config = '{"do_sample": true, "temperature": 5.0, "repetition_penalty": 9.0, "max_new_tokens": 1}'
    (folder / "generation_config.json").write_text(config)
    with speaking(folder) as loaded:
        assert [answer.text for answer in answers(loaded, requests())] == [answer.text for answer in expected]


def test_an_answer_ends_before_its_stop_string(tmp_path: Path) -> None:
    """The stop string itself is left out, and the finish says so; everything before it is as without."""
    folder = tiny_llama(tmp_path / "m")
    with speaking(folder) as loaded:
        free = answers(loaded, requests())
        stop = next(answer.text[3] for answer in free if len(answer.text) > 3 and answer.text[3].isascii())
        stopped = answers(loaded, requests(stop=(stop,)))
    for before, after in zip(free, stopped, strict=True):
        part = first_part(before.text, (stop,))
        assert after.text == (before.text if part is None else part)
        assert (after.finish == "stop") == (part is not None)


def test_an_answer_ends_at_the_end_of_sequence(tmp_path: Path) -> None:
    """Any of the model's end tokens ends a row, is no part of the text, and the finish says so."""
    folder = tiny_llama(tmp_path / "m")
    with speaking(folder) as loaded:
        free = answers(loaded, requests())
        ends = frozenset({(free[0].tokens or ())[2]})
        object.__setattr__(loaded, "eos_token_ids", ends)
        ended = answers(loaded, requests())
    assert ended[0].finish == "eos"
    assert ended[0].tokens == (free[0].tokens or ())[: len(ended[0].tokens or ())]
    assert any(answer.finish == "length" for answer in ended)


def test_a_prompt_longer_than_the_context_is_unanswered(tmp_path: Path) -> None:
    """It is not cut in silence; the reason gives both lengths, and the other rows are answered."""
    folder = tiny_llama(tmp_path / "m", max_position_embeddings=64)
    with speaking(folder) as loaded:
        long, short = answers(loaded, [Request("word " * 200, (), (), 5), Request("a", (), (), 5)])
    assert long.finish == "unanswered"
    assert long.reason is not None
    assert long.reason.endswith("tokens, the model's context 64")
    assert short.finish != "unanswered"


def test_logits_that_are_no_numbers_are_unanswered(tmp_path: Path) -> None:
    """A model whose weights are NaN answers nothing, which is not the same as wrong."""
    folder = tiny_llama(tmp_path / "m")
    with speaking(folder) as loaded:
        with torch.no_grad():
            next(iter(loaded.model.parameters())).fill_(float("nan"))
        found = answers(loaded, requests())
    assert {answer.reason for answer in found} == {"the model's logits are not numbers (NaN)"}


def test_an_empty_prompt_is_answered(tmp_path: Path) -> None:
    """Nothing to read is still a beginning."""
    with speaking(tiny_llama(tmp_path / "m")) as loaded:
        assert answers(loaded, [Request("", (), (), 3)])[0].finish in ("eos", "length")


def test_a_lack_of_memory_halves_the_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches that do not fit are asked again smaller, and no answer changes."""
    sizes = []

    class Cramped(Decoder):
        def decode(self, rows: Any) -> None:
            sizes.append(len(rows))
            super().decode(rows)
            if len(rows) > 3:
                raise torch.OutOfMemoryError("CUDA out of memory")

    with speaking(tiny_llama(tmp_path / "m")) as loaded:
        expected = answers(loaded, requests())
        monkeypatch.setattr(asking, "Decoder", Cramped)
        assert answers(loaded, requests()) == expected
    assert sizes[:3] == [12, 6, 3]


def test_what_does_not_fit_alone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not even one row fits, the message says how long it is and what would help."""

    class Full(Decoder):
        def decode(self, rows: Any) -> None:  # noqa: ARG002 - there is no room for any
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")

    monkeypatch.setattr(asking, "Decoder", Full)
    with speaking(tiny_llama(tmp_path / "m")) as loaded, pytest.raises(CannotAnswer, match="does not fit even alone"):
        answers(loaded, requests())


def test_other_errors_are_not_taken_for_a_lack_of_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect is not retried in smaller batches."""

    class Broken(Decoder):
        def decode(self, rows: Any) -> None:  # noqa: ARG002 - it fails whatever they are
            raise RuntimeError("shapes do not match")

    monkeypatch.setattr(asking, "Decoder", Broken)
    with speaking(tiny_llama(tmp_path / "m")) as loaded, pytest.raises(RuntimeError, match="shapes do not match"):
        answers(loaded, requests())


@pytest.mark.parametrize("stop", [("\n\n",), ("zebra crossing", "é"), ("b",)])
def test_stop_strings_are_looked_for_at_the_end_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: tuple[str, ...]
) -> None:
    """Not in all that was said, for each token once more; where they are found they are where they would have been."""
    read = []

    class Watched(Decoder):
        def _text(self, tokens: Sequence[int]) -> str:
            read.append(len(tokens))
            return super()._text(tokens)

    with speaking(tiny_llama(tmp_path / "m")) as loaded:
        free = answers(loaded, requests(limit=90))
        monkeypatch.setattr(asking, "Decoder", Watched)
        stopped = answers(loaded, requests(limit=90, stop=stop))
    before = [first_part(answer.text, stop) for answer in free]
    whole = [answer.text for answer in free]
    assert [answer.text for answer in stopped] == [w if b is None else b for w, b in zip(whole, before, strict=True)]
    assert sum(length > 40 for length in read) <= 2 * len(stopped)
