"""JSON Schema within limits: a suite's schema, and a model's answer to it, may be of any quality."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from time import monotonic
from typing import Any, TypeVar

from pytest_forgetting.grading.patterns import Undecidable, matches
from pytest_forgetting.suites.json_parts import everything_in

TIME_LIMIT = 5.0
"""Seconds for one value against one schema."""

T = TypeVar("T")
Keyword = Callable[[Any, Any, Any, Any], Iterable[Any] | None]
"""Validator, the keyword's value, the instance, and the schema around the keyword; gives what is wrong."""


class Limits:
    """One time limit for one value, whatever its schema calls; and patterns that cannot run away."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Begin the time, for the whole of a `schema`: references lead nowhere else."""
        self._deadline = monotonic() + TIME_LIMIT
        self._ours = dict(_OURS)
        if any(isinstance(each, dict) and "patternProperties" in each for each in everything_in(schema)):
            self._ours["unevaluatedProperties"] = _refused
        self._made: dict[Any, Any] = {}

    def validator(self, known: Any) -> Any:
        """The validator class `known` of jsonschema, which has no time limit and searches with `re`, within limits."""
        from jsonschema.validators import extend

        if known not in self._made:
            keywords = {name: self._timed(self._ours.get(name, keyword)) for name, keyword in known.VALIDATORS.items()}
            # What is evaluated is looked for without calling a keyword; only this is asked of each schema on the way.
            types = known.TYPE_CHECKER.redefine("boolean", self._timed(_is_boolean))
            limited = extend(known, keywords, type_checker=types)
            limited.evolve = lambda validator, **changes: self._evolved(validator, changes)  # its own leaves the limits
            self._made[known] = self._made[limited] = limited
        return self._made[known]

    def _evolved(self, validator: Any, changes: dict[str, Any]) -> Any:
        """`validator` for another part of its schema, read as the draft that this part states."""
        import attrs
        from jsonschema.validators import validator_for

        kind = self.validator(validator_for(changes["schema"], default=type(validator)))
        kept = {field.alias: getattr(validator, field.name) for field in attrs.fields(type(validator)) if field.init}
        return kind(**kept | changes)

    def _timed(self, look: Callable[..., T]) -> Callable[..., T]:
        def look_in_time(*of: Any) -> T:
            if monotonic() > self._deadline:
                raise Undecidable(f"the JSON Schema took longer than {TIME_LIMIT:g} s")
            return look(*of)

        return look_in_time


def _is_boolean(_types: Any, value: Any) -> bool:
    return isinstance(value, bool)


def _refused(validator: Any, _below: Any, instance: Any, _schema: Any) -> None:
    """`unevaluatedProperties` near `patternProperties`, in which jsonschema would search without a time limit."""
    if validator.is_type(instance, "object"):
        raise Undecidable("unevaluatedProperties beside patternProperties is not supported")


def _pattern(validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[Exception]:
    if validator.is_type(instance, "string"):
        yield from validator.descend(instance, matches(pattern, instance))  # True fits all, False nothing


def _pattern_properties(validator: Any, patterns: Mapping[str, Any], instance: Any, _schema: Any) -> Iterator[Any]:
    if validator.is_type(instance, "object"):
        for pattern, below in patterns.items():
            for name in [name for name in instance if matches(pattern, name)]:
                yield from validator.descend(instance[name], below)


def _additional_properties(validator: Any, below: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if validator.is_type(instance, "object"):
        patterns = schema.get("patternProperties", {})
        extra = [name for name in instance if name not in schema.get("properties", {})]
        for name in [name for name in extra if not any(matches(pattern, name) for pattern in patterns)]:
            yield from validator.descend(instance[name], below)


def _unique_items(validator: Any, wanted: Any, instance: Any, _schema: Any) -> Iterator[Exception]:
    if wanted and validator.is_type(instance, "array"):
        yield from validator.descend(instance, len(set(map(_comparable, instance))) == len(instance))


def _comparable(value: Any) -> object:
    """Equal for what JSON Schema calls equal: 1 is 1.0, and not true. jsonschema compares each item with each other."""
    if isinstance(value, list):
        return tuple(map(_comparable, value))
    if isinstance(value, dict):
        return frozenset((name, _comparable(below)) for name, below in value.items())
    return isinstance(value, bool), value


_OURS: dict[str, Keyword] = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "uniqueItems": _unique_items,
}
