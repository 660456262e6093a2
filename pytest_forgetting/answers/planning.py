"""Which rows share a batch."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")

FIXED_ROWS = 8
"""Rows of every batch, where all batches are to have one shape: few, as only doubtful cases are asked so."""
FIXED_STEP = 64
"""Tokens to a multiple of which such batches are padded."""


def longest_first(items: Sequence[T], length: Callable[[T], int]) -> list[T]:
    """Rows of like length side by side, the longest in front: little padding, and a lack of memory shows at once."""
    return sorted(items, key=length, reverse=True)


def rows_that_fit(free_bytes: int, bytes_per_row: int, most: int, share: float = 0.5) -> int:
    """How many rows of `bytes_per_row` fit into `share` of the free memory: at least one, at most `most`."""
    return max(1, min(most, int(free_bytes * share) // max(1, bytes_per_row)))


def padded(tokens: int) -> int:
    """The width of the fixed shape that holds `tokens`."""
    return -(-tokens // FIXED_STEP) * FIXED_STEP


def grouped(rows: Iterable[T], shape: Callable[[T], Hashable]) -> list[list[T]]:
    """Rows of the same shape together."""
    groups: dict[Hashable, list[T]] = {}
    for row in rows:
        groups.setdefault(shape(row), []).append(row)
    return list(groups.values())
