"""Work done batch by batch, the longest rows first, in batches as large as memory allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import torch

from pytest_forgetting.answers.batch_sizes import MOST_ROWS
from pytest_forgetting.answers.drafts import MOST_FOR_ONE
from pytest_forgetting.answers.planning import longest_first
from pytest_forgetting.errors import DoesNotFit
from pytest_forgetting.models.device_memory import is_out_of_memory

R = TypeVar("R")
T = TypeVar("T")
LOOKED_AT = max(MOST_ROWS.values()) * MOST_FOR_ONE
"""Rows in front that may be in the next batch, unless the user asks for larger ones."""


class Job(Protocol[R]):
    """What is done with rows."""

    def length(self, row: R) -> int:
        """Tokens that `row` takes at its longest."""

    def most(self, rows: Sequence[R]) -> int:
        """How many of the first of `rows`, the longest in front, can be done at once."""

    def run(self, batch: Sequence[R]) -> None:
        """Do all of `batch`; where memory runs out, its rows may be left half done."""

    def reset(self, row: R) -> None:
        """Make a row that was left half done as it was."""

    def shortened(self, row: R, tokens: int) -> R:
        """A row like `row` that takes `tokens` tokens, to see whether it fits."""

    def done(self, batch: Sequence[R]) -> None:
        """Told after each batch, so that nothing is lost by what comes later."""

    def too_long(self, row: R, fitting: int) -> str:
        """What to say where not even this row alone fits into memory, but one of about `fitting` tokens would."""


def run_in_batches(rows: Sequence[T], job: Job[T]) -> None:
    """Do `job` with all `rows`.

    Args:
        rows: to be done, in any order.
        job: what is done.

    Raises:
        DoesNotFit: not even a single row fits into memory.
    """
    waiting = longest_first(rows, job.length)
    budget: int | None = None  # tokens per batch, once memory has run out
    while waiting:
        length = job.length(waiting[0])
        size = min(job.most(waiting[:LOOKED_AT]), len(waiting))  # not all of them, once more for each batch
        size = size if budget is None else max(1, min(size, budget // length))
        batch = waiting[:size]
        if _succeeds(job, batch):
            job.done(batch)
            del waiting[:size]
        elif size == 1:
            raise DoesNotFit(f"out of memory: {job.too_long(batch[0], _fitting(job, batch[0]))}")
        else:
            budget = length * (size // 2)


def _succeeds(job: Job[T], batch: Sequence[T]) -> bool:
    """Do `batch`; False, and the rows as they were, where memory ran out."""
    try:
        job.run(batch)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    else:
        return True
    for row in batch:
        job.reset(row)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return False


def _fitting(job: Job[T], row: T) -> int:
    """About how many tokens a row may take for it to fit alone, found by trying; 0 where none fits."""
    fits, fails = 0, job.length(row)
    while fails - fits > max(1, fails // 16):
        tokens = (fits + fails) // 2
        if _succeeds(job, [job.shortened(row, tokens)]):
            fits = tokens
        else:
            fails = tokens
    return fits
