"""Where two answers differ, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

SAME, LOST, GAINED = "=", "-", "+"
"""What a piece begins with: text that both have, that only the first has, that only the second has."""
MOST_PAIRS = 40_000
"""Words of one text times words of the other: a match of more takes tens of milliseconds where words repeat."""
MOST_PAIRS_IN_ALL = 60_000_000
"""The same over all texts of a report: twenty seconds at worst."""
LEAST_COMMON = 0.25
"""Share of words in common below which two texts are simply two texts: marking nearly all of both tells nothing."""

_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff"
_WORDS = re.compile(rf"[{_IDEOGRAPHS}]|[^\W{_IDEOGRAPHS}]+|\s+|[^\w\s]")
"""Words, runs of white space, and single signs; in Chinese and Japanese, which part no words, single characters."""

_Stretch = tuple[bool, Sequence[str], Sequence[str]]
"""Words of both texts, and whether they are the same."""


class WordDiff:
    """Compares pairs of texts; where that would take too long, only what both begin and end with is the same."""

    def __init__(self, pairs: int = MOST_PAIRS_IN_ALL) -> None:
        """`pairs`: of words, that may be compared until nothing is any more."""
        self._left = pairs

    def changes(self, had: str, has: str) -> list[str]:
        """The pieces of both texts in order, each behind one of `SAME`, `LOST`, `GAINED`.

        The pieces that are the same or lost make up `had`, those that are the same or gained make up `has`, exactly.
        Where the two have hardly a word in common, each is one piece.
        """
        before, now = _WORDS.findall(had), _WORDS.findall(has)
        told = list(_pieces(self._stretches(before, now)))
        common = sum(_size(_WORDS.findall(piece[1:])) for piece in told if piece[0] == SAME)
        if common < LEAST_COMMON * max(_size(before), _size(now)):
            return list(_marked(had, has))
        return told

    def _stretches(self, before: Sequence[str], now: Sequence[str]) -> Iterator[_Stretch]:
        head = _agreeing(before, now)
        tail = _agreeing(before[head:][::-1], now[head:][::-1])
        end, now_end = len(before) - tail, len(now) - tail
        yield True, before[:head], now[:head]
        yield from self._middle(before[head:end], now[head:now_end])
        yield True, before[end:], now[now_end:]

    def _middle(self, before: Sequence[str], now: Sequence[str]) -> Iterator[_Stretch]:
        pairs = len(before) * len(now)
        if pairs > min(MOST_PAIRS, self._left):
            yield False, before, now
            return
        self._left -= pairs
        # White space is junk: it may lengthen a match, but two texts do not agree because both have blanks.
        for kind, i, j, k, m in SequenceMatcher(str.isspace, before, now, autojunk=False).get_opcodes():
            yield kind == "equal", before[i:j], now[k:m]


def _pieces(stretches: Iterator[_Stretch]) -> Iterator[str]:
    """A blank that two changes have between them belongs to both: so they are one change, and read as one."""
    lost = gained = ""
    for same, before, now in stretches:
        old, new = "".join(before), "".join(now)
        if not same or ((lost or gained) and old.isspace()):
            lost, gained = lost + old, gained + new
        elif old:
            yield from _marked(lost, gained)
            lost = gained = ""
            yield SAME + old
    yield from _marked(lost, gained)


def _marked(lost: str, gained: str) -> Iterator[str]:
    if lost:
        yield LOST + lost
    if gained:
        yield GAINED + gained


def _agreeing(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words both begin with."""
    differing = (n for n, (left, right) in enumerate(zip(one, other, strict=False)) if left != right)
    return next(differing, min(len(one), len(other)))


def _size(words: Sequence[str]) -> int:
    return sum(1 for word in words if not word.isspace())
