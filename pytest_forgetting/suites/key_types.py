"""What the keys of suites take: each type with its check, and with what editors are told of it."""

from __future__ import annotations

from fractions import Fraction
from math import isfinite
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema

from pytest_forgetting.settings import exact, fraction

MOST_GROWTH = 100
"""Of a cross-entropy: whoever allows more does not mean what was written."""

TAKEN_TAGS = ("filterwarnings", "parametrize", "skip", "skipif", "timeout", "usefixtures", "xfail")
"""Markers that pytest or pytest-timeout act upon: as a tag one would skip a case or take its failure for expected."""


def _share(value: Any) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("wanted a share such as 0.1 or 10%")
    try:
        return fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise ValueError("wanted a share from 0 to 1, such as 0.1 or 10%") from None


def _shares(value: Any) -> Fraction | dict[str, Fraction]:
    """One share for all categories, or one for each that is named."""
    if not isinstance(value, dict):
        return _share(value)
    shares = {}
    for name, each in value.items():
        try:
            shares[name] = _share(each)
        except ValueError as error:
            raise ValueError(f"of {name}: {error}, and not {each!r:.60}") from None
    return shares


def _growth(value: Any) -> Fraction:
    """A share that may be above 1: a cross-entropy can more than double."""
    try:
        text = str(value).strip()
        growth = exact(text[:-1]) / 100 if text.endswith("%") else exact(text)
    except (ValueError, ZeroDivisionError):
        growth = Fraction(-1)
    if isinstance(value, bool) or not 0 <= growth <= MOST_GROWTH:
        raise ValueError(f"wanted a share from 0 to {MOST_GROWTH}, such as 0.05 or 5%")
    return growth


def _answer(value: Any) -> str:
    if isinstance(value, bool):
        raise ValueError("a truth value, as YAML reads an unquoted yes, no, true or false; wanted a text, in quotes")
    if not isinstance(value, str | int | float) or not str(value).strip():
        raise ValueError("wanted a text or a number")
    if isinstance(value, float) and not isfinite(value):
        raise ValueError("wanted a text or a finite number")
    return str(value)


def _answers(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _strings(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _tag(value: str) -> str:
    if value in TAKEN_TAGS:
        instead = "skip: REASON leaves a case out" if value.startswith("skip") else "wanted another name"
        raise ValueError(f"pytest takes this marker for an instruction; {instead}")
    return value


def _columns(value: Any) -> Any:
    """One column, or two and more, each with its label or without."""
    if isinstance(value, str):
        return value
    each = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if len(each) < 2 or not all(isinstance(one, str) for one in each):
        raise ValueError("wanted the name of a column, or of two and more: a list, or a mapping with their labels")
    return value


_RATIO = r"^\s*[-+]?[\d_.]+([eE][-+]?\d+)?(\s*/\s*\d[\d_]*)?\s*%?\s*$"


def _share_schema(most: int) -> dict[str, Any]:
    return {"anyOf": [{"type": "number", "minimum": 0, "maximum": most}, {"type": "string", "pattern": _RATIO}]}


NAME, WORDS, TAG = r"^[A-Za-z0-9_.\-+=@ ]+$", r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$", r"^[A-Za-z_][A-Za-z0-9_]*$"
ANSWER: dict[str, Any] = {"anyOf": [{"type": "string", "pattern": r"\S"}, {"type": "number"}]}
"""JSON Schema of an answer."""
Share = Annotated[Fraction, BeforeValidator(_share), WithJsonSchema(_share_schema(1))]
Shares = Annotated[
    Fraction | dict[str, Fraction],
    PlainValidator(_shares),
    WithJsonSchema(
        {"anyOf": [*_share_schema(1)["anyOf"], {"type": "object", "additionalProperties": _share_schema(1)}]}
    ),
]
Growth = Annotated[Fraction, BeforeValidator(_growth), WithJsonSchema(_share_schema(MOST_GROWTH))]
AnswerText = Annotated[str, BeforeValidator(_answer), WithJsonSchema(ANSWER)]
Name = Annotated[str, Field(pattern=NAME, max_length=200)]
Words = Annotated[str, Field(strict=True, min_length=1, pattern=WORDS)]
Tag = Annotated[
    Annotated[str, Field(pattern=TAG)],
    AfterValidator(_tag),
    WithJsonSchema({"type": "string", "pattern": TAG, "not": {"enum": list(TAKEN_TAGS)}}),
]
Answers = Annotated[
    list[AnswerText],
    BeforeValidator(_answers),
    Field(min_length=1),
    WithJsonSchema({"anyOf": [*ANSWER["anyOf"], {"type": "array", "items": ANSWER, "minItems": 1}]}),
]
_STRING = {"type": "string"}
Columns = Annotated[
    str | list[str] | dict[str, str],
    PlainValidator(_columns),
    WithJsonSchema(
        {
            "anyOf": [
                _STRING,
                {"type": "array", "items": _STRING, "minItems": 2},
                {"type": "object", "additionalProperties": _STRING, "minProperties": 2},
            ]
        }
    ),
]
"""Where the value of a key lies: in one column, or each of its parts in one, with its label or without."""
_Stop = Annotated[str, Field(min_length=1)]
Stops = Annotated[
    list[_Stop],
    BeforeValidator(_strings),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": {"type": "string", "minLength": 1}}]}
    ),
]
Whole = Annotated[int, Field(strict=True)]
"""A number that stands there without quotes."""
