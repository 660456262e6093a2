"""Whether an answer says the same over and over."""

from __future__ import annotations

from collections.abc import Sequence

import regex

_WORD = regex.compile(
    # Scripts that are written without spaces: each character is a word.
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
    r"|[\w--[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]]+",
    regex.VERSION1,
)
_LIST_NUMBER = regex.compile(r"^[ \t]{0,9}\d{1,4}[.)](?=[ \t])", regex.MULTILINE)

LONGEST_PHRASE = 90
"""Words of a phrase that is found at the end of a text, as in Holtzman's script."""
TIMES = 3
"""How often a phrase stands there, at least."""
FEWEST_WORDS = 6
"""Of a loop: a single word stands there six times, two words three times."""
LEAST_VARIETY = 0.5
"""Share of four-word sequences that differ from each other."""
SCANT = 20
"""Four-word sequences; fewer tell nothing about variety."""
LONGEST_LETTERS, STRETCH = 5, 30
"""Characters that are repeated without a word between them, and over how many of them."""


def loops(text: str) -> bool:
    """Whether `text` says the same over and over.

    - It ends in a phrase of up to 90 words that stands there three times or more, the last time maybe broken off: after
      Holtzman and others (2020, "The Curious Case of Neural Text Degeneration", arXiv:1904.09751), whose script
      metrics/repetition.py takes two times for enough, if the phrase has three tokens or more.
    - Or fewer than half of its four-word sequences differ from each other: 1 − seq-rep-4 of Welleck and others (2020,
      arXiv:1908.04319). In 555 stories and speeches by people the least share was 0.91.
    - Or it ends in 30 characters of a pattern of up to 5.

    Case, punctuation and the numbers of a list's items make no difference. Takes time in proportion to the length.
    """
    words = _WORD.findall(_LIST_NUMBER.sub(" ", text.casefold()))
    return _ends_in_loop(words) or _varies_little(words) or _ends_in_pattern("".join(text.split()))


def _ends_in_loop(words: Sequence[str]) -> bool:
    lengths = range(1, min(LONGEST_PHRASE, len(words) // TIMES) + 1) if len(words) >= FEWEST_WORDS else ()
    return any(_repeats(words[-max(TIMES * length, FEWEST_WORDS) :], length) for length in lengths)


def _repeats(words: Sequence[str], length: int) -> bool:
    """Whether `words` are one phrase of `length` words again and again; the last word may be broken off."""
    return words[length:-1] == words[: -length - 1] and words[-length - 1].startswith(words[-1])


def _varies_little(words: Sequence[str]) -> bool:
    sequences = list(zip(words, words[1:], words[2:], words[3:], strict=False))
    return len(sequences) >= SCANT and len(set(sequences)) < len(sequences) * LEAST_VARIETY


def _ends_in_pattern(text: str) -> bool:
    end = text[-STRETCH:]
    lengths = range(1, LONGEST_LETTERS + 1)
    return len(end) == STRETCH and any(end[length:] == end[:-length] for length in lengths)
