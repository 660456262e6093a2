"""JSON in answers, and whether it fits a JSON Schema."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import regex

from pytest_forgetting.errors import SuiteError
from pytest_forgetting.grading.patterns import Undecidable
from pytest_forgetting.grading.schema_keywords import Limits
from pytest_forgetting.suites.json_parts import parts
from pytest_forgetting.suites.strict_json import no_constant

LONGEST = 100_000
"""Characters of a JSON value inside other text; a longer one is not found."""
_MOST_ATTEMPTS = 1000
_DEEP = 20
"""Levels of a value; a schema that never ends with less than that has a circle of references."""

_FENCED = regex.compile(r"```[\w-]*\s(.*)```", regex.DOTALL)
_OPENING = regex.compile(r"[{\[]")


def whole_value(text: str) -> list[Any]:
    """The JSON value that `text` is, in or without a code fence; an empty list where it is none."""
    fenced = _FENCED.fullmatch(text.strip())
    try:
        return [_DECODER.decode(fenced[1] if fenced else text)]
    except (ValueError, RecursionError):
        return []


def contained_values(text: str) -> Iterator[Any]:
    """Yield the JSON objects and arrays in `text`, in their order, but not the parts of one by themselves."""
    start, attempts = 0, 0
    while attempts < _MOST_ATTEMPTS and (opening := _OPENING.search(text, start)):
        try:
            value, length = _DECODER.raw_decode(text[opening.start() : opening.start() + LONGEST])
        except (ValueError, RecursionError):
            start, attempts = opening.end(), attempts + 1
        else:
            yield value
            start = opening.start() + length


def fitting(schema: dict[str, Any] | None) -> Callable[[Any], bool]:
    """A test of whether a value fits `schema`; everything fits None.

    References lead nowhere but into the schema itself: nothing is fetched.

    Raises:
        SuiteError: the schema is no schema, or refers to what is not in it (told when a value is tested).
        Undecidable: it took too long, be it one `pattern` or the whole of it, or the value is too deep or its numbers
            too large to be looked into.
    """
    return _validate(schema) if schema is not None else lambda _value: True


def _validate(schema: dict[str, Any]) -> Callable[[Any], bool]:
    from jsonschema import validators  # takes a fifth of a second
    from referencing import Registry

    def fits(value: Any) -> bool:
        try:
            known = validators.validator_for(schema, default=validators.Draft202012Validator)
            known.check_schema(schema)
            return bool(Limits(schema).validator(known)(schema, registry=Registry()).is_valid(value))
        except Undecidable:
            raise
        except OverflowError as error:
            raise Undecidable("the JSON holds a number beyond all measure") from error
        except Exception as error:  # of odd schemas jsonschema raises nearly anything
            if isinstance(error, RecursionError) and _is_deep(value):
                raise Undecidable("the JSON is nested too deep for its schema") from error
            told = next(iter(str(error).splitlines()), type(error).__name__)
            raise SuiteError(f"no usable JSON Schema: {told:.200}") from error

    return fits


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEP):
        level = [part for each in level for part in parts(each)]
    return bool(level)


def _finite(number: str) -> float:
    if math.isinf(value := float(number)):
        raise ValueError
    return value


_DECODER = json.JSONDecoder(parse_constant=no_constant, parse_float=_finite)
