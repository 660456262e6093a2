"""Batches, shared beginnings and drafts against transformers' own `generate` and plain passes, in many architectures.

A small part of a random search: the prompts below have beginnings in common, are equal, or are the beginning of others.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
import torch

from pytest_forgetting.answers.generation import Decoder, Row
from pytest_forgetting.answers.likelihood import Part, Scorer
from pytest_forgetting.answers.planning import FIXED_ROWS
from pytest_forgetting.models.loaded_model import LoadedModel
from tests.architectures import ARCHITECTURES, CONTEXT, WORDS, tiny

BOUND = ("gpt2", "gpt_neo", "opt", "mpt", "gpt_bigcode")
"""Architectures that have no place behind the last one of their context."""
Prompts = Sequence[list[int]]


def words(count: int, seed: int) -> list[int]:
    """Random tokens, none of them special."""
    numbers = random.Random(seed)
    return [numbers.randrange(3, WORDS) for _ in range(count)]


def alike() -> Prompts:
    """Twenty tokens in common, and behind them none to thirty more."""
    common = words(20, 0)
    return [common + words(more, more) for more in (0, 0, 1, 2, 30)]


def unlike() -> Prompts:
    """From one token to sixty; the last is the beginning of the one before."""
    return [words(1, 1), words(9, 2), words(60, 3), words(60, 3)[:35]]


@torch.inference_mode()
def generated(loaded: LoadedModel, prompt: list[int], limit: int) -> list[int]:
    """What transformers makes of one prompt."""
    ids = torch.tensor([prompt])
    ends = {"eos_token_id": 2, "pad_token_id": 0}
    said = loaded.model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=limit, do_sample=False, **ends
    )
    return list(said[0, len(prompt) :].tolist())


def decoded(
    loaded: LoadedModel, prompts: Prompts, limits: Sequence[int], drafts: Prompts = (), shape: int | None = None
) -> list[list[int]]:
    """What comes of all prompts in one batch."""
    rows = [Row(prompt, (), limit) for prompt, limit in zip(prompts, limits, strict=True)]
    for row in rows:
        row.room = CONTEXT - len(row.prompt)
    for row, draft in zip(rows, drafts, strict=False):
        row.draft = draft
    Decoder(loaded, shape).decode(rows)
    return [row.new for row in rows]


@torch.inference_mode()
def scored(loaded: LoadedModel, part: Part) -> float:
    """The log-likelihood by one pass over all tokens."""
    logits = loaded.model(input_ids=torch.tensor([part.before + part.scored[:-1]]), use_cache=False).logits[0]
    logs = logits[-len(part.scored) :].log_softmax(-1)
    return float(sum(logs[n, token] for n, token in enumerate(part.scored)))


@pytest.mark.parametrize("prompts", [alike(), unlike()], ids=["alike", "unlike"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_batch_says_what_generate_says(name: str, prompts: Prompts) -> None:
    """Read together, with drafts right, wrong and too long, and in batches of one shape."""
    loaded = tiny(name, 1)
    limits = [12] * len(prompts)
    wanted = [generated(loaded, prompt, 12) for prompt in prompts]
    drafts = [wanted[0], wanted[1][:3] + words(3, 7), words(8, 8), wanted[3] + words(40, 9), []]
    assert decoded(loaded, prompts, limits) == wanted
    assert decoded(loaded, prompts, limits, drafts) == wanted
    assert decoded(loaded, prompts, limits, shape=FIXED_ROWS) == wanted


@pytest.mark.parametrize("shape", [None, FIXED_ROWS])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_batch_scores_what_a_plain_pass_scores(name: str, shape: int | None) -> None:
    """Behind prompts that several parts have in common, one token or many."""
    loaded = tiny(name, 1)
    parts = [Part(prompt, words(count, count)) for prompt in (*alike()[1:3], *unlike()) for count in (1, 2, 9)]
    scorer = Scorer(loaded, shape)
    for start in range(0, len(parts), FIXED_ROWS):
        scorer.score(parts[start : start + FIXED_ROWS])
    assert [part.loglikelihood for part in parts] == pytest.approx([scored(loaded, part) for part in parts], rel=1e-4)


@pytest.mark.parametrize("shape", [None, FIXED_ROWS])
@pytest.mark.parametrize("name", BOUND)
def test_no_row_pushes_another_out_of_the_context(name: str, shape: int | None) -> None:
    """One prompt ends just before the context does; short ones go on for longer than it has room for."""
    loaded = tiny(name, 1)
    prompts = [words(CONTEXT - 2, 1), words(CONTEXT - 30, 2), words(3, 3)]
    limits = [2, 30, 60]
    wanted = [generated(loaded, prompt, limit) for prompt, limit in zip(prompts, limits, strict=True)]
    assert decoded(loaded, prompts, limits, shape=shape) == wanted
    assert decoded(loaded, prompts, limits, [words(50, 4), [], wanted[2]]) == wanted


@pytest.mark.parametrize("shape", [None, FIXED_ROWS])
@pytest.mark.parametrize("name", BOUND)
def test_what_is_scored_beside_a_full_context_does_not_reach_beyond_it(name: str, shape: int | None) -> None:
    """One prompt leaves room for two tokens, and sixty are scored behind another."""
    loaded = tiny(name, 1)
    pairs = [(CONTEXT - 2, 2), (CONTEXT - 2, 1), (20, 60), (20, 59)]
    parts = [Part(words(before, before), words(count, count)) for before, count in pairs]
    Scorer(loaded, shape).score(parts)
    assert [part.loglikelihood for part in parts] == pytest.approx([scored(loaded, part) for part in parts], rel=1e-4)
