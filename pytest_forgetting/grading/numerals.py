"""Numbers in text, in digits or in English words, and which of them an answer comes to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import regex

from pytest_forgetting.grading.normalisation import normalise

_UNITS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SMALL = (
    {"zero": 0}
    | {word: value for value, word in enumerate(_UNITS + _TEENS, 1)}
    | {word: value for value, word in zip(range(20, 100, 10), _TENS, strict=True)}
)
_SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}

_BELOW_100 = rf"(?:(?:{'|'.join(_TENS)})(?:[ -](?:{'|'.join(_UNITS)})\b)?|{'|'.join(['zero', *_TEENS, *_UNITS])})\b"
_BELOW_1000 = rf"(?:(?:(?:{_BELOW_100}|a)[ -])?hundred\b(?:[ -](?:and[ -])?{_BELOW_100})?|{_BELOW_100})"
_SCALE = r"(?:thousand|million|billion|trillion)\b"
_SPELLED = rf"(?:(?:{_BELOW_1000}|a)[ -])?{_SCALE}(?:,?[ -](?:and[ -])?{_BELOW_1000}(?:[ -]{_SCALE})?)*+|{_BELOW_1000}"
_NUMERAL = regex.compile(
    rf"""
    (?P<minus>(?<![\w)\]%])-|\bnegative\ |(?<=^|\bis\ |\bequals\ |=\ )minus\ )?
    (?:[$€£¥]\ ?)?
    (?:(?P<digits>(?<![\p{{L}}_]|\d\.)
          (?>\d{{1,3}}(?:[,']\d{{3}})+(?!\d)(?:\.\d+)?|(?<!/)\d+/\d++(?!/)|\d+(?:\.\d+)?|(?<![\d.])\.\d+)
          (?:e[+-]?\d{{1,2}}\b)?)
       (?!\.\d)(?:[ -](?P<scale>hundred\b|{_SCALE}))?
      |\b(?P<words>{_SPELLED.replace(" ", chr(92) + " ")}))
    """,
    regex.VERBOSE,
)
_LONGEST = 60
"""Digits; what is longer is no quantity."""
LONGEST = 50_000
"""Characters of an answer that are looked at for numbers, half of them from its end: a megabyte takes many seconds."""

_NEGATION = regex.compile(r"(?:\bnot|\bnever|n't) $")
_CUE = regex.compile(
    r"(?:[=≈→:]|->|\b(?:is|equals?|answer|result|total|boxed)\b)(?: (?:about|exactly|now|only))?[^\w.!?;]*$"
)
_BEFORE_OPERATOR = regex.compile(r" ?(?:[-+*/×÷^] ?[\d(]|x ?\d|(?:plus|minus|times|divided|multiplied)\b)")
_AFTER_OPERATOR = regex.compile(r"(?:[\d)] ?[-+*/×÷^x]|\b(?:plus|minus|times|by)) ?$")
_REACH = 40
"""Characters before a number that may hold its cue."""


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number and where it stands."""

    value: Fraction
    start: int
    end: int
    pronoun: bool
    """A lone "one": maybe no number at all."""


def number(text: str) -> Fraction | None:
    """The one number in `text`; None where there is none, or several."""
    numerals = list(_numerals(normalise(text)))
    return numerals[0].value if len(numerals) == 1 else None


def nothing_but_a_number(text: str) -> Fraction | None:
    """The number that `text` is, in digits or words; None where it says anything else, be it a unit."""
    text = normalise(text)
    numerals = list(_numerals(text))
    if len(numerals) != 1:
        return None
    rest = text[: numerals[0].start] + text[numerals[0].end :]
    return None if regex.search(r"\w", rest) else numerals[0].value


def conclusions(text: str) -> frozenset[Fraction]:
    """The numbers that an answer can be said to come to.

    They are its last number, and the last one stated as a result (after "=", ":", "is", "equals", "answer", "result",
    "total") or, where none is stated, the one that the answer opens with. Operands do not count (12 and 5 in
    "12 - 5") unless there is nothing else, nor do numbers after "not"; a lone "one" never speaks against another
    number. So "15 x 7 = 105", "105 because 15 x 7" and "It is 105, not 106" all come to 105. Units (``$``, ``%``,
    ``km``) are not read.
    """
    text = normalise(text)
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 2]} . {text[-LONGEST // 2 :]}"
    numerals = [numeral for numeral in _numerals(text) if not _NEGATION.search(_before(text, numeral))]
    sure = [numeral for numeral in numerals if not numeral.pronoun]
    return _concluding(text, numerals) | _concluding(text, sure)


def _concluding(text: str, numerals: Sequence[Numeral]) -> frozenset[Fraction]:
    if not numerals:
        return frozenset()
    last = next((each for each in reversed(numerals) if not _is_operand(text, each)), numerals[-1])
    stated = next((each for each in reversed(numerals) if _is_stated(text, each)), None)
    opens = not (_is_operand(text, numerals[0]) or regex.search(r"\w", text[: numerals[0].start]))
    leading = stated or (numerals[0] if opens else last)
    return frozenset((last.value, leading.value))


def _is_stated(text: str, numeral: Numeral) -> bool:
    return _CUE.search(_before(text, numeral)) is not None and not _is_operand(text, numeral)


def _is_operand(text: str, numeral: Numeral) -> bool:
    followed = _BEFORE_OPERATOR.match(text, numeral.end)
    return followed is not None or _AFTER_OPERATOR.search(_before(text, numeral)) is not None


def _before(text: str, numeral: Numeral) -> str:
    return text[max(0, numeral.start - _REACH) : numeral.start]


def _numerals(text: str) -> Iterator[Numeral]:
    for found in _NUMERAL.finditer(text):
        value = _spelled(found["words"]) if found["words"] else _written(found["digits"], found["scale"])
        if value is not None:
            yield Numeral(-value if found["minus"] else value, *found.span(), found["words"] == "one")


def _written(digits: str, scale: str | None) -> Fraction | None:
    try:
        value = Fraction(digits.replace(",", "").replace("'", "")) if len(digits) <= _LONGEST else None
    except (ValueError, ZeroDivisionError):  # 1/2e5, 1/0
        return None
    return value * _SCALES[scale] if value and scale else value


def _spelled(words: str) -> Fraction:
    total = below_1000 = 0
    for word in regex.findall(r"[a-z]+", words):
        if word == "hundred":
            below_1000 = (below_1000 or 1) * 100
        elif word in _SCALES:
            total, below_1000 = total + (below_1000 or 1) * _SCALES[word], 0
        else:
            below_1000 += _SMALL.get(word, 0)
    return Fraction(total + below_1000)
