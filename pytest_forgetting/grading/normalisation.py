"""Normalisation of text before it is compared: one spelling for what people write in several ways."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import regex

_ONE_SPELLING = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
    | dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4\u02bc`", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"')
)
# NFKC alone would make 52 of 5², 31/2 of 3½, and two numbers of 1 945 written with a narrow space.
_POWER = regex.compile(r"(?<=\d)(?=[\u2070\u00b9\u00b2\u00b3\u2074-\u2079])")
_MIXED = regex.compile(r"(?<=\d)(?=[\u00bc-\u00be\u2150-\u215e])")
_NARROW = regex.compile(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))")
_INVISIBLE = regex.compile(r"\p{Cf}+")
_BLANK = regex.compile(r"[\s\p{Cc}]+")
_FOREIGN_DIGIT = regex.compile(r"[\p{Nd}--[0-9]]", regex.VERSION1)

_INITIALS = regex.compile(r"(?<![\w.])(?:\p{L}\. ?){2,}")
_TOKEN = regex.compile(
    r"""
      (?P<number>
        (?:(?<![\w)\]%])-)?                          # a sign; the dashes of 15-7 and 1939-1945 are none
        (?>\d{1,3}(?:[,']\d{3})+(?!\d)(?:\.\d+)?     # 1,945 and 1'945.50
          |\d+(?:[.:]\d+)+                           # 105.5, 10:30, 3.11.2: one thing each
          |(?<!/)\d+/\d++(?!/)                       # 1/2, but a date's parts by themselves
          |(?<![\w.])\.\d+
          |\d+
        )[^\W_]*)                                    # 105th and 10km are words of their own
    | [\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{M}*   # written without spaces
    | [^\W_]+(?:'[^\W_]+)*(?:[+\#]+(?!\w))?          # o'brien, don't, c++
    """,
    regex.VERBOSE,
)
_NEGATES = regex.compile(r"not|never|non|\w+n't")
_DIRECTLY = regex.compile(r"""[\s"'*_]*|-""")
_NEGATED = "\N{NOT SIGN}"
_SHORT = 4
"""Letters of a word whose final s may be more than a plural's: gas, Mars."""

_AROUND = " \"'*_~()[]{}<>:;,!?\u00a1\u00bf"
_BEFORE = regex.compile(rf"\A(?:[{regex.escape(_AROUND)}]|\.(?!\d)|[-#]+ )++")


def normalise(text: str) -> str:
    """Fold case, Unicode variants, dashes, quotes, digits and blank space into one spelling.

    Accents stay: they tell words apart. ``CO₂`` becomes ``co2``, but ``5²`` becomes ``5^2``.
    """
    text = _NARROW.sub(",", _MIXED.sub(" ", _POWER.sub("^", text)))
    text = unicodedata.normalize("NFKC", text).casefold().replace("\N{FRACTION SLASH}", "/")
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).translate(_ONE_SPELLING)
    # regex may know a later Unicode, and digits in it of which Python's knows nothing.
    text = _FOREIGN_DIGIT.sub(lambda found: str(unicodedata.digit(found[0], found[0])), text)
    return _BLANK.sub(" ", text).strip()


def same_text(text: str, wanted: str) -> bool:
    """Whether `text` is nothing but `wanted`; case, blanks, and punctuation around it make no difference."""
    return core(text) == core(wanted)


def core(text: str) -> str:
    """`text` without what makes no difference to `same_text`."""
    return _BEFORE.sub("", normalise(text).rstrip(_AROUND + "."))


def holds_text(text: str, wanted: str) -> bool:
    """Whether `wanted` stands anywhere in `text`, parts of words included; case and blanks make no difference."""
    return bool(wanted.strip()) and normalise(wanted) in normalise(text)


def holds_words(text: str, wanted: str) -> bool:
    """Whether `wanted` stands in `text` as whole words, other than directly negated.

    Punctuation, "the", a leading "a" or "an", and possessives make no difference; hyphens separate words, except in
    numbers. A number is one word: ``105`` is not in ``1050``, ``105.5``, ``-105`` or ``105th``, but it is in
    ``$105.``; ``1,945`` is ``1945``. A mention directly after "not", "never", "non-" or a verb in "n't" does not
    count ("It is not Paris"); one further on does ("not in Paris"): only the word before is looked at.
    What has no words in it (``≥``) is looked for as it stands.
    """
    words = _wanted_words(wanted)
    if not words:
        return holds_text(text, wanted)
    said = _said_words(text)
    starts = (n for n, word in enumerate(said) if word == words[0])
    return any([word.removeprefix(_NEGATED) for word in said[n : n + len(words)]] == words for n in starts)


def holds_letters(text: str, wanted: str) -> bool:
    """Whether the letters of `wanted` stand in `text` as whole words, other than directly negated.

    More lenient than `holds_words`: neither accents make a difference, nor where words are parted (``ice cream``,
    ``ice-cream``, ``icecream``), nor a final s on a word of four letters or more. Numbers are not looked for, as two
    numbers side by side are not a longer one.
    """
    goal = "".join(_unaccented(word) for word in _wanted_words(wanted))
    if not any(letter.isalpha() for letter in goal):
        return False
    said = [_unaccented(word) for word in _said_words(text)]
    return any(_spells(said, start, goal) for start in range(len(said)))


def _spells(said: Sequence[str], start: int, goal: str) -> bool:
    """Whether words from `start` on, put together, are `goal`; a first word that is negated never is."""
    spelled = ""
    for word in said[start : start + len(goal)]:
        spelled += word.removeprefix(_NEGATED) if spelled else word
        if _stem(spelled) == _stem(goal):
            return True
        if not goal.startswith(spelled):
            return False
    return False


def _stem(word: str) -> str:
    return word.removesuffix("s") if len(word) > _SHORT else word


def _unaccented(word: str) -> str:
    if word.isascii():
        return word
    decomposed = unicodedata.normalize("NFD", word)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _wanted_words(wanted: str) -> list[str]:
    words = [word.removeprefix(_NEGATED) for word in _words(wanted)]
    return words[1:] if len(words) > 1 and words[0] in ("a", "an") else words


# A case looks for each of its accepted answers in the same text.
@lru_cache(maxsize=4)
def _said_words(text: str) -> list[str]:
    return _words(text)


def _words(text: str) -> list[str]:
    """The words of `text`, those directly negated with ¬ before them."""
    text = _INITIALS.sub(_join_initials, normalise(text))
    words, negated, end = [], False, 0
    for found in _TOKEN.finditer(text):
        word = _plain(found)
        negated = negated and _DIRECTLY.fullmatch(text, end, found.start()) is not None
        if word != "the":
            words.append(_NEGATED + word if negated else word)
        negated = _NEGATES.fullmatch(word) is not None or (negated and word in ("a", "an", "the"))
        end = found.end()
    return words


def _plain(found: regex.Match[str]) -> str:
    if found["number"]:
        return found[0].replace(",", "").replace("'", "")
    return found[0].removesuffix("'s")


def _join_initials(found: regex.Match[str]) -> str:
    return regex.sub("[. ]", "", found[0]) + " "
