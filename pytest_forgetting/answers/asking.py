"""Asking one loaded model many requests, batch by batch, whatever the memory allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.generation import GreedyDecoder, Row
from pytest_forgetting.answers.memory import batch_size_for, is_out_of_memory
from pytest_forgetting.answers.planning import longest_first
from pytest_forgetting.answers.prompting import row_for
from pytest_forgetting.errors import CannotAnswer

if TYPE_CHECKING:
    from pytest_forgetting.answers.requests import Conditions, Request
    from pytest_forgetting.models.loading import LoadedModel

Deliver = Callable[[dict[int, Answer]], None]
"""Takes answers by the position of their request, batch by batch as they are done."""


def ask(
    loaded: LoadedModel,
    requests: Sequence[Request],
    conditions: Conditions,
    deliver: Deliver,
    batch_size: int | None = None,
) -> None:
    """Answer all `requests` greedily and hand the answers over as each batch ends.

    Args:
        loaded: the model that answers.
        requests: what it is asked.
        conditions: chat template and what else the answers depend on.
        deliver: called once per batch, so that nothing answered is lost by what comes later.
        batch_size: rows at once; None finds it from free memory and the longest row.

    Raises:
        CannotAnswer: not even a single row fits into memory.
    """
    rows = [row_for(loaded, request, conditions) for request in requests]
    if unasked := {n: row.answer for n, row in enumerate(rows) if row.answer is not None}:
        deliver(unasked)
    waiting = longest_first([n for n, row in enumerate(rows) if row.answer is None], lambda n: _length(rows[n]))
    decoder = GreedyDecoder(loaded)
    budget: int | None = None  # tokens per batch, once memory has run out
    while waiting:
        length = _length(rows[waiting[0]])
        size = min(batch_size or batch_size_for(loaded, length), len(waiting))
        size = size if budget is None else max(1, min(size, budget // length))
        batch = [rows[n] for n in waiting[:size]]
        if _decoded(decoder, batch):
            deliver({n: _answer(rows[n]) for n in waiting[:size]})
            del waiting[:size]
        else:
            budget = length * _half(size, batch)


def _length(row: Row) -> int:
    """Tokens of prompt and answer at their longest."""
    return len(row.prompt) + row.limit


def _answer(row: Row) -> Answer:
    assert row.answer is not None, "the decoder returned before this row had its answer"
    return row.answer


def _decoded(decoder: GreedyDecoder, batch: list[Row]) -> bool:
    """Decode `batch`; False, and the rows as they were, where memory ran out."""
    try:
        decoder.decode(batch)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    else:
        return True
    for row in batch:
        row.new, row.answer = [], None
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return False


def _half(size: int, batch: list[Row]) -> int:
    if size == 1:
        raise CannotAnswer(
            f"out of memory: a prompt of {len(batch[0].prompt)} tokens with up to {batch[0].limit} new ones does not"
            " fit even alone; use a smaller max_new_tokens, another --device, or --dtype bfloat16"
        )
    return size // 2
