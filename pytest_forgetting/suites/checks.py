"""The checks that suites may name, and what value each takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from math import isfinite
from typing import Any

import regex

from pytest_forgetting.suites.cases import Check
from pytest_forgetting.suites.json_parts import everything_in
from pytest_forgetting.suites.patterns import compiled
from pytest_forgetting.suites.spelling import hint, meant


class BadCheck(ValueError):
    """A check that cannot be meant as written."""


def _text(value: Any) -> str:
    odd = isinstance(value, bool) or (isinstance(value, float) and not isfinite(value))
    if odd or not isinstance(value, str | int | float):
        raise BadCheck(f"found {value!r}; wanted a text")
    return str(value)


def _some(value: Any) -> str:
    """A text that is not in every answer."""
    if not _text(value):
        raise BadCheck(f"found {value!r}, which is in every answer; wanted a text")
    return str(value)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise BadCheck(f"found {value!r}; wanted a list of texts")
    return tuple(_some(each) for each in value)


def _see_keys(value: dict[Any, Any], known: Sequence[str]) -> None:
    for name in value:
        if name not in known:
            raise BadCheck(f"unknown key '{name}'; {hint(str(name), known)}")


def pattern(value: Any) -> str:
    """A regular expression that compiles."""
    try:
        compiled(_text(value))
    except regex.error as error:
        raise BadCheck(f"{value!r:.60} is no regular expression: {error}") from None
    return str(value)


def _schema(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    import jsonschema

    if not isinstance(value, dict):
        raise BadCheck(f"found {value!r}; wanted a JSON Schema")
    if any(isinstance(each, list) and _is_endless(each) for each in everything_in(value)):
        raise BadCheck(f"is no JSON Schema that can be used: it has a list of more than {_LONGEST_LIST} schemas")
    if not isinstance(value.get("$schema", ""), str):
        raise BadCheck(f"is no JSON Schema: $schema: found {value['$schema']!r:.60}; wanted a text")
    try:
        json.dumps(value, allow_nan=False)
        known = jsonschema.validators.validator_for(value, default=jsonschema.Draft202012Validator)
        known.check_schema(value)
    except jsonschema.SchemaError as error:
        raise BadCheck(f"is no JSON Schema: {error.message:.200}") from None
    except (TypeError, ValueError) as error:  # a date, which YAML makes of text without quotes; .nan
        raise BadCheck(f"is no JSON Schema: {error}; wanted plain JSON, texts in quotes") from None
    except RecursionError:
        raise BadCheck("is no JSON Schema: nested too deep") from None
    except Exception as error:  # of identifiers that are no addresses, and the like, jsonschema raises nearly anything
        raise BadCheck(f"is no JSON Schema that can be used: {type(error).__name__}: {error}") from None
    _see_references(value)
    return value


def _is_endless(each: list[Any]) -> bool:
    """Whether comparing its parts with each other, as jsonschema does, would take minutes."""
    return len(each) > _LONGEST_LIST and any(isinstance(part, dict | list) for part in each)


def _references(schema: Any) -> Iterator[Any]:
    """What every `$ref` in it refers to."""
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for name, each in schema.items():
            # What has a name of its own counts references from there on.
            if name not in ("const", "enum", "default", "examples") and not (isinstance(each, dict) and "$id" in each):
                yield from _references(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from _references(each)


def _see_references(schema: dict[str, Any]) -> None:
    """See that each leads to a part of the schema itself: nothing is fetched."""
    from referencing import Registry, Resource
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    resource = Resource.from_contents(schema, default_specification=DRAFT202012)
    own = resource.id() or ""
    resolver = Registry().with_resource(own, resource).resolver(own)
    for target in _references(schema):
        try:
            resolver.lookup(target)
        except (Unresolvable, ValueError):
            raise BadCheck(f"is no JSON Schema: '$ref: {target}' leads nowhere in it") from None


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _span(value: Any) -> dict[str, int | None]:
    if _is_whole(value):
        return {"min": value, "max": value}
    if isinstance(value, dict):
        _see_keys(value, ("min", "max"))
    if not (isinstance(value, dict) and value) or not all(map(_is_whole, value.values())):
        raise BadCheck(f"found {value!r}; wanted a whole number, or {{min: …, max: …}}")
    least, most = value.get("min"), value.get("max")
    if least is not None and most is not None and least > most:
        raise BadCheck(f"found min {least} above max {most}, which no answer meets; wanted min up to max")
    return {"min": least, "max": most}


def _nothing(value: Any) -> None:
    if value is not None:
        raise BadCheck(f"found {value!r}; this check takes no value")


def _number(value: Any) -> dict[str, float]:
    given = value if isinstance(value, dict) else {"value": value}
    _see_keys(given, ("value", "tolerance"))
    if "value" not in given or not all(map(_is_finite, given.values())):
        raise BadCheck(f"found {value!r}; wanted a number, or {{value: …, tolerance: …}}")
    tolerance = given.get("tolerance", 0)
    if tolerance < 0:
        raise BadCheck(f"tolerance: found {tolerance!r}; wanted a number from 0 on")
    return {"value": given["value"], "tolerance": tolerance}


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _mentions(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        _see_keys(value, ("values", "at_least"))
    if not isinstance(value, dict) or "values" not in value:
        raise BadCheck(f"found {value!r}; wanted {{values: [...], at_least: …}}")
    if not isinstance(value["values"], list) or not value["values"]:
        raise BadCheck("mentions: wanted a list of values")
    values = tuple(_texts(each) if isinstance(each, list) else (_some(each),) for each in value["values"])
    least = value.get("at_least", len(values))
    if not _is_whole(least) or not 1 <= least <= len(values):
        raise BadCheck(f"at_least: found {least!r}; wanted a whole number from 1 to {len(values)}")
    return {"values": values, "at_least": least}


_VALUES: dict[str, Callable[[Any], Any]] = {
    "equals": _text,
    **dict.fromkeys(("contains", "icontains", "starts-with"), _some),
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
_MOST_CELLS = 2_000_000
_LONGEST_LIST = 1000
"""Schemas in one list of a JSON Schema."""


def _levenshtein(value: Any, threshold: Any) -> dict[str, Any]:
    if not _is_whole(threshold):
        raise BadCheck(f"threshold: found {threshold!r}; wanted a whole number")
    if threshold * len(_text(value)) > _MOST_CELLS:
        raise BadCheck(f"threshold times the text's length is beyond {_MOST_CELLS:,}, which would take minutes")
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
            near = next((told for name in names if (told := meant(str(name), ["threshold"]))), None)
            told = f"; {near}" if near else ""
            raise BadCheck(f"found the keys {', '.join(map(str, given))}; wanted one check{told}")
        given = {"type": names[0], "value": given[names[0]], **extra}
    name = str(given["type"])
    surplus = set(given) - {"type", "value"} - ({"threshold"} if name.endswith("levenshtein") else set())
    if surplus:
        name = min(map(str, surplus))
        if name == "threshold":
            raise BadCheck("threshold: only levenshtein has one")
        near = meant(name, ("type", "value", "threshold"))
        raise BadCheck(f"unknown key '{name}'; wanted type and value" + (f"; {near}" if near else ""))
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
