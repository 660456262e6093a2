"""A draft changes how soon an answer comes, never the answer: on real models with random weights, in float32."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, MistralConfig, MistralForCausalLM

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.asking import ask
from pytest_forgetting.answers.drafts import FEWEST_JUDGED, Tally
from pytest_forgetting.answers.interview import Interview
from pytest_forgetting.answers.kv_cache import Reader
from pytest_forgetting.answers.requests import Conditions, Draw, Request
from pytest_forgetting.answers.sides import LiveSide, SideName
from pytest_forgetting.api.comparing import compare
from pytest_forgetting.models.loading import LoadedPair, LoadOptions
from pytest_forgetting.models.references import resolve
from tests.tiny_models import tiny_llama, tiny_tokenizer

PROMPTS = ("a", "The cat sat on", "Question: what is the capital of France?\nAnswer:", "One two three four " * 5)
LIMIT = 16


def requests(**asked: Any) -> list[Request]:
    """Prompts of several lengths, twelve in all."""
    options = {"stop": (), "max_new_tokens": LIMIT, **asked}
    return [Request(f"{prompt}{n}", (), **options) for n in range(3) for prompt in PROMPTS]


def answers(
    folder: Path, asked: Sequence[Request], drafts: Mapping[int, Sequence[int]] | None = None, size: int | None = None
) -> list[Answer]:
    """What the model in `folder` says."""
    found: dict[int, Answer] = {}
    with LoadedPair({"model": resolve(str(folder))}, LoadOptions(device="cpu")).speaking("model") as loaded:
        ask(loaded, asked, Conditions("f", None), found.update, size, drafts=drafts)
    return [found[n] for n in range(len(asked))]


def shifted(folder: Path, base: Path, by: float) -> Path:
    """The model in `base` with noise of `by` times each weight's spread, as a tuning might leave it."""
    model = AutoModelForCausalLM.from_pretrained(base)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * parameter.std().nan_to_num() * by)
    model.save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


def said(answers: Sequence[Answer]) -> dict[int, tuple[int, ...]]:
    """Their tokens, as drafts."""
    return {n: answer.tokens or () for n, answer in enumerate(answers)}


def watch(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many columns each forward pass reads, from now on."""
    widths = []
    forward = Reader._forward

    def watched(self: Reader, ids: torch.Tensor, *rest: Any) -> torch.Tensor:
        widths.append(ids.shape[1])
        return forward(self, ids, *rest)

    monkeypatch.setattr(Reader, "_forward", watched)
    return widths


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("by", [0.0, 0.01, 0.05, 0.3])
def test_answers_are_those_of_plain_decoding(tmp_path: Path, seed: int, by: float) -> None:
    """However far the model has moved from its baseline, in every batch size."""
    base = tiny_llama(tmp_path / "base", seed=seed)
    tuned = shifted(tmp_path / "tuned", base, by)
    plain, drafts = answers(tuned, requests()), said(answers(base, requests()))
    for size in (1, 5, None):
        assert answers(tuned, requests(), drafts, size) == plain


@pytest.mark.parametrize("stop", [(), ("a",), ("e", " ")])
def test_stop_strings_are_seen_within_a_draft(tmp_path: Path, stop: tuple[str, ...]) -> None:
    """An answer ends where it would have ended, however much of the draft is left."""
    folder = tiny_llama(tmp_path / "m")
    drafts = said(answers(folder, requests()))
    assert answers(folder, requests(stop=stop), drafts) == answers(folder, requests(stop=stop))


def test_nonsense_for_a_draft_is_thrown_away(tmp_path: Path) -> None:
    """Wrong from the first token, longer than the limit, of unknown tokens, right at first, or none at all."""
    folder = tiny_llama(tmp_path / "m")
    plain = answers(folder, requests())
    right = said(plain)
    drafts: dict[int, Sequence[int]] = {
        0: [5] * 3,
        1: [7] * 200,
        2: [10**6],
        3: [*right[3][:4], 9, 9, 9, 9],
        4: [*right[4], *right[4]],
        5: right[5][:3],
        6: [],
    }
    assert answers(folder, requests(), drafts) == plain


def test_drawn_answers_are_what_they_were(tmp_path: Path) -> None:
    """Each is drawn with numbers of its own, whether its tokens are checked or decoded."""
    base = tiny_llama(tmp_path / "base")
    tuned = shifted(tmp_path / "tuned", base, 0.02)
    drawn = requests(draw=Draw(1.0, 3))
    assert answers(tuned, drawn, said(answers(base, drawn))) == answers(tuned, drawn)


def test_a_draft_ends_with_the_context(tmp_path: Path) -> None:
    """GPT-2 has no position beyond its last: a draft that would reach past it is cut."""
    tokenizer = tiny_tokenizer()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = GPT2Config(vocab_size=len(tokenizer), n_positions=32, n_embd=16, n_layer=2, n_head=2)
        config.initializer_range = 0.5
        GPT2LMHeadModel(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    asked = [Request("a" * length, (), (), 50) for length in (1, 20, 31)]
    plain = answers(tmp_path, asked)
    assert answers(tmp_path, asked, {n: [*tokens, 5, 5] for n, tokens in said(plain).items()}) == plain


def test_a_sliding_window_is_decoded_without_drafts(tmp_path: Path) -> None:
    """Its cache has dropped what a rejected draft would need again."""
    tokenizer = tiny_tokenizer()
    shape: dict[str, Any] = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = MistralConfig(
            vocab_size=len(tokenizer), sliding_window=8, num_attention_heads=2, num_key_value_heads=2, **shape
        )
        config.initializer_range = 0.5
        MistralForCausalLM(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    plain = answers(tmp_path, requests())
    drafts = {n: [*tokens[:5], 9, 9, 9] for n, tokens in said(plain).items()}
    assert answers(tmp_path, requests(), drafts) == plain


def test_where_drafts_are_right_nothing_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a model says as its baseline did is read with the prompt, whatever the length of the answer."""
    folder = tiny_llama(tmp_path / "m")
    drafts = said(answers(folder, requests()))
    widths = watch(monkeypatch)
    answers(folder, requests(), drafts, 12)
    assert 1 not in widths


def test_drafts_that_do_not_pay_are_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In another domain every draft is wrong: after the first few batches none is read any more."""
    widths = watch(monkeypatch)
    asked = [Request("a" * 20, (), (), 2)] * 30
    answers(tiny_llama(tmp_path / "m"), asked, {n: [5] * 101 for n in range(30)}, 1)
    read = [width for width in widths if width > 1]
    assert read == [20 + 100] * 3 + [20] * 27


def test_a_tally_waits_for_enough_tokens() -> None:
    """A few wrong ones at the beginning prove nothing; three in ten are worth it."""
    assert Tally(FEWEST_JUDGED - 1, 0).pays
    assert not Tally(FEWEST_JUDGED, 0).pays
    assert Tally(1000, 300).pays
    assert not Tally(1000, 299).pays


@pytest.mark.parametrize(
    ("drafted", "accepted", "rows"),
    [
        (0, 0, 1),
        (FEWEST_JUDGED - 1, FEWEST_JUDGED - 1, 1),
        (1000, 1000, 4),
        (1000, 875, 4),
        (1000, 800, 2),
        (1000, 0, 1),
    ],
)
def test_the_fewer_rows_part_from_their_draft_the_more_are_checked_at_once(
    drafted: int, accepted: int, rows: int
) -> None:
    """Twice the share of lost tokens is taken for the share of rows that are left to be decoded."""
    assert Tally(drafted, accepted).rows_for_one == rows


def test_the_few_rows_that_part_from_their_draft_are_decoded_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once most drafts are known to be right, larger batches are checked: steps of few rows cost as much as of many."""
    folder = tiny_llama(tmp_path / "m")
    asked = [Request("a" * (length % 7), (), (), 50) for length in range(160)]
    drafts = said(answers(folder, asked))
    for n in range(0, 160, 20):
        drafts[n] = (*drafts[n][:20], 9, 9)
    widths = watch(monkeypatch)
    answers(folder, asked, drafts)
    assert widths.count(1) <= 2 * 50


def test_the_baselines_answers_are_the_models_drafts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But not where doubtful cases are asked again: those are to be decoded in one way, whatever was said."""
    base = tiny_llama(tmp_path / "base")
    tuned = tiny_llama(tmp_path / "tuned", seed=1)
    said = answers(base, [Request("a b", (), (), 1)])[0].text
    row = json.dumps({"prompt": "a b", "answer": f"^{re.escape(said)}"})
    (tmp_path / "s.yaml").write_text(f"forgetting: qa\nmatch: regex\nmax_new_tokens: 1\ncases:\n  - {row}\n")
    given = []
    drafts = Interview._drafts

    def watched(self: Interview, name: SideName, side: LiveSide, *asked: Any) -> dict[int, tuple[int, ...]]:
        found = drafts(self, name, side, *asked)
        given.append((name, side.in_fixed_batches, len(found)))
        return found

    monkeypatch.setattr(Interview, "_drafts", watched)
    compare(model=tuned, baseline=base, suites=tmp_path / "s.yaml", dtype="bfloat16", no_store=True, device="cpu")
    assert given == [("baseline", False, 0), ("model", False, 1), ("baseline", True, 0), ("model", True, 0)]
