"""The checks that suites may name, and what value each takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any

import regex

from pytest_forgetting.suites.cases import Check
from pytest_forgetting.suites.spelling import hint


class BadCheck(ValueError):
    """A check that cannot be meant as written."""


def _text(value: Any) -> str:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise BadCheck(f"found {value!r}; wanted a text")
    return str(value)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise BadCheck(f"found {value!r}; wanted a list of texts")
    return tuple(_text(each) for each in value)


def pattern(value: Any) -> str:
    """A regular expression that compiles."""
    try:
        regex.compile(_text(value))
    except regex.error as error:
        raise BadCheck(f"{value!r} is no regular expression: {error}") from None
    return str(value)


def _schema(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    import jsonschema

    if not isinstance(value, dict):
        raise BadCheck(f"found {value!r}; wanted a JSON Schema")
    if not isinstance(value.get("$schema", ""), str):
        raise BadCheck(f"is no JSON Schema: $schema: found {value['$schema']!r:.60}; wanted a text")
    try:
        json.dumps(value, allow_nan=False)
        jsonschema.validators.validator_for(value).check_schema(value)
    except jsonschema.SchemaError as error:
        raise BadCheck(f"is no JSON Schema: {error.message}") from None
    except (TypeError, ValueError) as error:  # a date, which YAML makes of text without quotes; .nan
        raise BadCheck(f"is no JSON Schema: {error}; wanted plain JSON, texts in quotes") from None
    return value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _span(value: Any) -> dict[str, int | None]:
    if _is_whole(value):
        return {"min": value, "max": value}
    known = isinstance(value, dict) and value and set(value) <= {"min", "max"}
    if not known or not all(map(_is_whole, value.values())):
        raise BadCheck(f"found {value!r}; wanted a whole number, or {{min: …, max: …}}")
    return {"min": value.get("min"), "max": value.get("max")}


def _nothing(value: Any) -> None:
    if value is not None:
        raise BadCheck(f"found {value!r}; this check takes no value")


def _number(value: Any) -> dict[str, float]:
    given = value if isinstance(value, dict) else {"value": value}
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in given.values())
    if "value" not in given or not set(given) <= {"value", "tolerance"} or not numbers:
        raise BadCheck(f"found {value!r}; wanted a number, or {{value: …, tolerance: …}}")
    return {"value": given["value"], "tolerance": given.get("tolerance", 0)}


def _mentions(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or "values" not in value or not set(value) <= {"values", "at_least"}:
        raise BadCheck(f"found {value!r}; wanted {{values: [...], at_least: …}}")
    if not isinstance(value["values"], list) or not value["values"]:
        raise BadCheck("mentions: wanted a list of values")
    values = tuple(_texts(each) if isinstance(each, list) else (_text(each),) for each in value["values"])
    least = value.get("at_least", len(values))
    if not _is_whole(least) or not 1 <= least <= len(values):
        raise BadCheck(f"at_least: found {least!r}; wanted a whole number from 1 to {len(values)}")
    return {"values": values, "at_least": least}


_VALUES: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("equals", "contains", "icontains", "starts-with"), _text),
    **dict.fromkeys(("contains-any", "contains-all", "icontains-any", "icontains-all"), _texts),
    **dict.fromkeys(("is-json", "contains-json"), _schema),
    **dict.fromkeys(("word-count", "sentence-count"), _span),
    **dict.fromkeys(("is-refusal", "finished"), _nothing),
    "regex": pattern,
    "number": _number,
    "mentions": _mentions,
}
NAMES = (*_VALUES, "levenshtein")
"""Of all checks that come with the package, without `not-`."""
LEVENSHTEIN_THRESHOLD = 5


def _levenshtein(value: Any, threshold: Any) -> dict[str, Any]:
    if not _is_whole(threshold):
        raise BadCheck(f"threshold: found {threshold!r}; wanted a whole number")
    return {"text": _text(value), "threshold": threshold}


def read_check(entry: Any, known: Collection[str], allow_python: bool) -> Check:
    """A check as a suite writes it: ``finished``, ``{contains: x}``, or ``{type: contains, value: x}``.

    Raises:
        BadCheck: its name is unknown, or its value is none that it takes.
    """
    given = {entry: None} if isinstance(entry, str) else entry
    if not isinstance(given, dict) or not given:
        raise BadCheck(f"found {entry!r}; wanted a check such as {{contains: text}}")
    if "type" not in given:
        extra = {name: given[name] for name in given if name == "threshold"}
        names = [name for name in given if name != "threshold"]
        if len(names) != 1:
            raise BadCheck(f"found the keys {', '.join(map(str, given))}; wanted one check")
        given = {"type": names[0], "value": given[names[0]], **extra}
    name = str(given["type"])
    surplus = set(given) - {"type", "value"} - ({"threshold"} if name.endswith("levenshtein") else set())
    if surplus:
        raise BadCheck(f"unknown key '{min(map(str, surplus))}'; wanted type and value")
    return _check(name, given.get("value"), given.get("threshold", LEVENSHTEIN_THRESHOLD), known, allow_python)


def _check(name: str, value: Any, threshold: Any, known: Collection[str], allow_python: bool) -> Check:
    negated = name.startswith("not-") and name not in known
    plain = name.removeprefix("not-") if negated else name
    if plain == "levenshtein":
        return Check(plain, _levenshtein(value, threshold), negated)
    if plain in _VALUES:
        return Check(plain, _VALUES[plain](value), negated)
    if plain in known:
        return Check(plain, value, negated)
    if plain == "python":
        if not allow_python:
            raise BadCheck("'python' runs code that a suite names: refused without --forgetting-allow-python")
        return Check(plain, _text(value), negated)
    names = [*NAMES, *known]
    raise BadCheck(f"unknown check '{name}'; {hint(plain, names)}")
