"""Words and sentences of an answer, counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import regex

_PARAGRAPH = regex.compile(r"\n\s*\n")
_ABBREVIATIONS = (
    "mr|mrs|ms|dr|prof|st|sr|jr|vs|e\\.g|i\\.e|vol|fig|approx|dept|gen|capt|rev|inc|ltd|co|corp|u\\.s|u\\.k"
)
_END = regex.compile(
    rf"""
    (?: (?<!\b(?i:{_ABBREVIATIONS}|no(?=\.\s\d)|[a-z--i])|^[ ]{{0,9}}\d{{1,3}})\.   # "Dr. Who", "J. Bach", "1. Apples"
      | (?<=\S)\.(?=[\s"')\]”’»*_]{{0,9}}\Z)   # but at the very end
      | [!?] )
    [.!?]*+["')\]”’»*_]*+(?=\s++(?!\p{{Ll}})|\Z)
    | [\u3002\uff01\uff1f]++[\u300d\u300f”]*+      # Chinese and Japanese ones
    """,
    regex.VERBOSE | regex.MULTILINE | regex.VERSION1,
)
_WORD = regex.compile(r"\w+")
_LEAST_VARIETY = 1 / 3
"""Share of a sentence's words that differ from each other; below it, one is not writing but repeating."""


@dataclass(frozen=True, slots=True)
class Sentences:
    """How much of a text is sentences."""

    whole: int
    """Ended by ``.``, ``!`` or ``?``, and not a word or two over and over."""
    fragments: int
    """The rest: broken off, a heading, or mere repetition."""


def count_words(text: str) -> int:
    """How many words `text` has, a word being what stands between blanks."""
    return len(text.split())


def count_sentences(text: str) -> Sentences:
    """Count the sentences of `text`, paragraph by paragraph.

    Abbreviations, initials, decimals and list numbers end none, nor does a stop before a small letter.
    """
    pieces = [piece for paragraph in _PARAGRAPH.split(text.strip()) for piece in _split(paragraph.strip())]
    whole = sum(1 for piece, ended in pieces if ended and _says_something(piece))
    return Sentences(whole, len(pieces) - whole)


def _split(paragraph: str) -> Iterator[tuple[str, bool]]:
    """Yield the sentences of a paragraph, and whether each one is ended."""
    start = seen = 0
    for end in _END.finditer(paragraph):
        if _WORD.search(paragraph, seen, end.start()):
            yield paragraph[start : end.start()], True
            start = end.end()
        seen = end.end()
    if _WORD.search(paragraph, seen):
        yield paragraph[start:], False


def _says_something(sentence: str) -> bool:
    words = _WORD.findall(sentence.casefold())
    return len(words) < 3 or (1 < len(set(words)) >= len(words) * _LEAST_VARIETY)
