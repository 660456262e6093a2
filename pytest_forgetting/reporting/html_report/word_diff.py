"""Where two answers differ, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

SAME, LOST, GAINED = "=", "-", "+"
"""What a piece begins with: text that both have, that only the first has, that only the second has."""
MOST_PAIRS = 40_000
"""Words of one text times words of the other: beyond it, finding the best match would take too long."""
LEAST_COMMON = 0.25
"""Share of words in common below which two texts are simply two texts: marking nearly all of both tells nothing."""

_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff"
_WORDS = re.compile(rf"[{_IDEOGRAPHS}]|[^\W{_IDEOGRAPHS}]+|\s+|[^\w\s]")
"""Words, runs of white space, and single signs; in Chinese and Japanese, which part no words, single characters."""


def changes(had: str, has: str) -> list[str]:
    """The pieces of both texts in order, each behind one of `SAME`, `LOST`, `GAINED`.

    The pieces that are the same or lost make up `had`, those that are the same or gained make up `has`, exactly. Where
    the two have hardly a word in common, each is one piece.
    """
    before, now = _WORDS.findall(had), _WORDS.findall(has)
    told = list(_pieces(before, now))
    if _common(told) < LEAST_COMMON * max(_size(had), _size(has)):
        return [mark + text for mark, text in ((LOST, had), (GAINED, has)) if text]
    return told


def _common(told: Sequence[str]) -> int:
    return sum(_size(piece[1:]) for piece in told if piece[0] == SAME)


def _size(text: str) -> int:
    return sum(1 for word in _WORDS.findall(text) if not word.isspace())


def _pieces(before: Sequence[str], now: Sequence[str]) -> Iterator[str]:
    """A blank that two changes have between them belongs to both: so they are one change, and read as one."""
    lost = gained = ""
    for same, old, new in _stretches(before, now):
        if not same or ((lost or gained) and old.isspace()):
            lost, gained = lost + old, gained + new
            continue
        yield from _marked(lost, gained)
        lost = gained = ""
        yield SAME + old
    yield from _marked(lost, gained)


def _marked(lost: str, gained: str) -> Iterator[str]:
    if lost:
        yield LOST + lost
    if gained:
        yield GAINED + gained


def _stretches(before: Sequence[str], now: Sequence[str]) -> Iterator[tuple[bool, str, str]]:
    """Stretches of both texts, and whether they are the same."""
    head = _agreeing(before, now)
    tail = _agreeing(before[head:][::-1], now[head:][::-1])
    old, new = before[head : len(before) - tail], now[head : len(now) - tail]
    parts = [(True, before[:head], now[:head]), *_middle(old, new), (True, before[len(before) - tail :], now[len(now) - tail :])]
    for same, one, other in parts:
        if one or other:
            yield same, "".join(one), "".join(other)


def _middle(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[bool, Sequence[str], Sequence[str]]]:
    if len(old) * len(new) > MOST_PAIRS:
        yield False, old, new
        return
    # White space is junk: it may join a match, but two texts do not agree because both have blanks.
    for kind, i, j, k, m in SequenceMatcher(str.isspace, old, new, autojunk=False).get_opcodes():
        yield kind == "equal", old[i:j], new[k:m]


def _agreeing(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words both begin with."""
    for n, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return n
    return min(len(one), len(other))
