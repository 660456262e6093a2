"""Regular expressions from suites: compiled where that is cheap, refused where it would take all time or memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import regex

LONGEST = 2000
"""Characters of a pattern; some take seconds to compile from there on."""
LARGEST = 100_000
"""Pieces that a pattern comes to once its repeats, such as ``(a{1000}){1000}``, are written out, as `regex` does it."""
_TOKEN = re.compile(
    r"(?P<escape>\\.)"
    r"|(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])"
    r"|(?P<recursion>\(\?(?:R|\d+|&|P>))"
    r"|(?P<open>\()"
    r"|(?P<close>\))"
    r"|(?P<repeat>\{(?P<least>\d+)(?:,\d*)?\})"
    r"|(?P<piece>.)",
    re.DOTALL,
)

_KINDS = ("escape", "set", "recursion", "open", "close", "repeat", "piece")


@lru_cache(maxsize=512)
def compiled(pattern: str) -> regex.Pattern[str]:
    """`pattern`, ready to be searched for; the caller gives the search a time limit.

    Raises:
        regex.error: it is no regular expression, or one that compiling or searching would need too much memory for.
    """
    if len(pattern) > LONGEST:
        raise regex.error(f"it has {len(pattern)} characters; wanted at most {LONGEST}")
    if _size(pattern) > LARGEST:
        raise regex.error(f"its repeats come to more than {LARGEST} pieces")
    try:
        return regex.compile(pattern)
    except (RecursionError, OverflowError, MemoryError) as error:
        raise regex.error(f"it is nested too deep ({type(error).__name__})") from None


def _size(pattern: str) -> int:
    """Pieces of `pattern` with its repeats written out.

    Raises:
        regex.error: it calls itself, for which a search can take gigabytes within its time limit.
    """
    sizes, last = [0], 0  # of the groups that are open, from the outermost on, less the last piece of each
    before: list[int] = []
    for kind, least in _tokens(pattern):
        if kind == "recursion":
            raise regex.error("it calls itself, which is not supported")
        if kind == "open":
            before.append(last)
            sizes.append(0)
            last = 0
        elif kind == "close" and before:
            inside = sizes.pop() + last
            sizes[-1] += before.pop()
            last = inside
        elif kind == "repeat":
            last *= max(1, least)
        else:
            sizes[-1] += last
            last = 1
    return sum(sizes) + sum(before) + last


def _tokens(pattern: str) -> Iterator[tuple[str, int]]:
    for found in _TOKEN.finditer(pattern):
        kind = next(name for name in _KINDS if found[name] is not None)
        yield kind, min(int((found["least"] or "0")[:9]), LARGEST + 1)
