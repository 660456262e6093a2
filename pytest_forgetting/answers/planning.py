"""Which rows share a batch."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from pytest_forgetting.answers.requests import Request

T = TypeVar("T")

FIXED_ROWS = 8
"""Rows of every batch, where all batches are to have one shape: few, as only doubtful cases are asked so."""
FIXED_STEP = 64
"""Tokens to a multiple of which such batches are padded."""
LEAST_SHARE = 32
"""Requests that one of several processes takes at once: fewer would leave its batches half empty."""
CHARACTERS = 4
"""Of a token, about, in English."""


def longest_first(items: Sequence[T], length: Callable[[T], int]) -> list[T]:
    """Rows of like length side by side, the longest in front: little padding, and a lack of memory shows at once."""
    return sorted(items, key=length, reverse=True)


def share_of(requests: Sequence[Request], parts: int, least: int, most: int | None = None) -> list[Request]:
    """What one of several who work at the same time does next: half of what would be its part of all `requests`.

    So shares become smaller towards the end, and all of them end at about the same time. The longest come first, and
    what is drawn several times for one prompt stays together.

    Args:
        requests: that nobody does yet.
        parts: how many work at the same time.
        least: requests of a share, where there are as many.
        most: requests of a share; None: as many as it comes to.
    """
    return next(shares_of(requests, parts, least, most), [])


def shares_of(requests: Sequence[Request], parts: int, least: int, most: int | None = None) -> Iterator[list[Request]]:
    """All such shares of `requests`, one after the other, each cut when it is asked for."""
    ordered, start = longest_first(requests, weight), 0
    while start < len(ordered):
        size = max(least, -(-(len(ordered) - start) // (2 * parts)))
        end = min(start + min(size, most or size), len(ordered))
        while end < len(ordered) and _prompt(ordered[end]) == _prompt(ordered[end - 1]):
            end += 1
        yield ordered[start:end]
        start = end


def weight(request: Request) -> int:
    """About how many characters are read and written for `request`, where nobody has counted its tokens."""
    return len(request.shown) + sum(map(len, request.continuations)) + CHARACTERS * request.max_new_tokens


def _prompt(request: Request) -> object:
    return request.text, request.messages


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
