"""`patternProperties` of a JSON Schema with the time limit of all patterns.

jsonschema looks for them with `re`, in several keywords and without a limit. So each pattern is looked for here, and
the names that it is found in stand in its place.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from pytest_forgetting.grading.patterns import matches

_KEYWORD = "patternProperties"
_OF_NAMES = frozenset(("properties", _KEYWORD, "$defs", "definitions", "dependentSchemas", "dependencies"))
"""Keywords whose objects have names for keys, and no keywords."""
_OF_VALUES = frozenset(("const", "enum", "default", "examples"))


def has_property_patterns(schema: Any) -> bool:
    """Whether the word stands anywhere in `schema`."""
    if isinstance(schema, dict):
        return _KEYWORD in schema or any(map(has_property_patterns, schema.values()))
    return isinstance(schema, list) and any(map(has_property_patterns, schema))


def property_names(value: Any) -> frozenset[str]:
    """The names of all properties of all objects in `value`."""
    return frozenset(_names(value))


def _names(value: Any) -> Iterator[str]:
    inner = [value]
    while inner:
        each = inner.pop()
        if isinstance(each, dict):
            yield from each
            inner.extend(each.values())
        elif isinstance(each, list):
            inner.extend(each)


def with_names_for_patterns(schema: Any, names: Collection[str]) -> Any:
    """`schema` with those of `names` in the place of each pattern that is found in them.

    Raises:
        Undecidable: a pattern ran too long.
        regex.error: one is no pattern.
    """
    if isinstance(schema, list):
        return [with_names_for_patterns(each, names) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: _settled(name, value, names) for name, value in schema.items()}


def _settled(keyword: Any, value: Any, names: Collection[str]) -> Any:
    if keyword in _OF_VALUES:
        return value
    if keyword not in _OF_NAMES or not isinstance(value, dict):
        return with_names_for_patterns(value, names)
    found = {name: with_names_for_patterns(each, names) for name, each in value.items()}
    if keyword != _KEYWORD:
        return found
    return {_one_of(n, pattern, names): each for n, (pattern, each) in enumerate(found.items())}


def _one_of(number: int, pattern: str, names: Collection[str]) -> str:
    """A pattern that is found in those names alone; by its number it differs from all others."""
    found = sorted(name for name in names if matches(pattern, name))
    return rf"(?#{number})\A(?:{'|'.join(map(re.escape, found))})\Z" if found else f"(?#{number})(?!)"
