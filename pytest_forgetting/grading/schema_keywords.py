"""The keywords of JSON Schema within limits: a suite's schema, and a model's answer to it, may be of any quality."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from time import monotonic
from typing import Any

from pytest_forgetting.grading.patterns import Undecidable, matches
from pytest_forgetting.suites.json_parts import everything_in

TIME_LIMIT = 5.0
"""Seconds for one value against one schema."""

Keyword = Callable[[Any, Any, Any, Any], Iterable[Any] | None]
"""Validator, the keyword's value, the instance, and the schema around the keyword; gives what is wrong."""


def limited_keywords(known: Mapping[str, Keyword]) -> dict[str, Keyword]:
    """All of `known` with one time limit for them together, from now on, and with patterns that cannot run away.

    Args:
        known: of a draft, as jsonschema has them; it searches with `re`, which has no time limit.
    """
    deadline = monotonic() + TIME_LIMIT

    def timed(keyword: Keyword) -> Keyword:
        def look(validator: Any, value: Any, instance: Any, schema: Any) -> Iterable[Any] | None:
            if monotonic() > deadline:
                raise Undecidable(f"the JSON Schema took longer than {TIME_LIMIT:g} s")
            return keyword(validator, value, instance, schema)

        return look

    ours: dict[str, Keyword] = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "unevaluatedProperties": _no_patterns(known.get("unevaluatedProperties")),
        "uniqueItems": _unique_items,
    }
    return {name: timed(ours.get(name, keyword)) for name, keyword in known.items()}


def _pattern(validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[Exception]:
    from jsonschema import ValidationError

    if validator.is_type(instance, "string") and not matches(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Mapping[str, Any], instance: Any, _schema: Any) -> Iterator[Any]:
    if validator.is_type(instance, "object"):
        for pattern, below in patterns.items():
            for name in [name for name in instance if matches(pattern, name)]:
                yield from validator.descend(instance[name], below, path=name, schema_path=pattern)


def _additional_properties(validator: Any, below: Any, instance: Any, schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    if not validator.is_type(instance, "object"):
        return
    patterns = schema.get("patternProperties", {})
    extra = [name for name in instance if name not in schema.get("properties", {})]
    extra = [name for name in extra if not any(matches(pattern, name) for pattern in patterns)]
    if validator.is_type(below, "object"):
        for name in extra:
            yield from validator.descend(instance[name], below, path=name)
    elif not below and extra:
        yield ValidationError(f"additional properties: {extra[0]!r}")


def _no_patterns(keyword: Keyword | None) -> Keyword:
    """`keyword` where no `patternProperties` are near, in which jsonschema would search without a time limit."""

    def look(validator: Any, value: Any, instance: Any, schema: Any) -> Iterable[Any] | None:
        if _names(validator.schema, "patternProperties"):
            raise Undecidable("unevaluatedProperties beside patternProperties is not supported")
        return None if keyword is None else keyword(validator, value, instance, schema)

    return look


def _names(schema: Any, keyword: str) -> bool:
    return any(isinstance(each, dict) and keyword in each for each in everything_in(schema))


def _unique_items(validator: Any, wanted: Any, instance: Any, _schema: Any) -> Iterator[Exception]:
    from jsonschema import ValidationError

    if wanted and validator.is_type(instance, "array") and len(set(map(_comparable, instance))) < len(instance):
        yield ValidationError("items are not unique")


def _comparable(value: Any) -> tuple[str, object]:
    """Equal for what JSON Schema calls equal: 1 is 1.0, and not true. jsonschema compares each item with each other."""
    if isinstance(value, list):
        return "array", tuple(map(_comparable, value))
    if isinstance(value, dict):
        return "object", frozenset((name, _comparable(below)) for name, below in value.items())
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return "number" if number else type(value).__name__, value
