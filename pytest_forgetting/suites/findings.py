"""What is wrong with a key or its value, in the words of suites."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_forgetting.suites import key_types
from pytest_forgetting.suites.schema import SPELLINGS, CaseKeys, GateKeys, Shot, SourceKeys, Turn
from pytest_forgetting.suites.spelling import meant

if TYPE_CHECKING:
    from pydantic import BaseModel

PydanticError = Mapping[str, Any]
"""As pydantic tells it."""
Place = Sequence[str | int]

_WITHIN: Mapping[str | int, type[BaseModel]] = {
    "gate": GateKeys,
    "messages": Turn,
    "few_shot": Shot,
    "source": SourceKeys,
}
"""The models of what stands within a suite or a case, by the key."""
_WANTED = {
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "keys with values",
    "model_type": "keys with values",
    "string_type": "a text",
    "string_unicode": "a text that UTF-8 can bear",
    "string_too_short": "a text that is not empty",
    "too_short": "a list of at least {min_length}",
    "string_too_long": "at most {max_length} characters",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "a number from {ge:g} on",
    "less_than_equal": "a number up to {le:g}",
    "literal_error": "{expected}",
    "invalid_key": "keys that are texts",
}
"""By pydantic's name for the error, filled with its context."""
_PATTERNS = {
    key_types.NAME: "letters, digits, blanks and any of _ . - + = @",
    key_types.WORDS: "a text without control characters",
    key_types.TAG: "letters, digits and _, with no digit first",
}


def is_unknown_key(finding: PydanticError) -> bool:
    """Whether it is about a key, rather than about its value."""
    return bool(finding["type"] == "extra_forbidden")


def told(finding: PydanticError, path: Place, model: type[BaseModel]) -> str:
    """One finding as a line.

    Args:
        finding: of pydantic.
        path: to it, as the user spells it, from what `model` checks on.
        model: of a whole suite, a case or a source.
    """
    if is_unknown_key(finding):
        return f"unknown key '{path[-1]}'; {_meant_key(str(path[-1]), _model_at(path[:-1], model))}"
    if finding["type"] == "missing":
        within = f"{_named(path[:-1])}: " if path[:-1] else ""
        return f"{within}no '{path[-1]}'; wanted it beside {_found(finding['input'])}"
    if finding["type"] == "value_error":
        said = finding["msg"].removeprefix("Value error, ")
    else:
        said = f"wanted {wanted(finding)}"
    return f"{_named(path)}: {said} (found {_found(finding['input'])}){_meant_value(finding)}"


def wanted(finding: PydanticError) -> str:
    """What the value should have been."""
    context = finding.get("ctx", {})
    if finding["type"] == "string_pattern_mismatch":
        return _PATTERNS.get(context["pattern"], f"what matches {context['pattern']}")
    if finding["type"] == "string_type" and isinstance(finding["input"], bool | int | float):
        return "a text, in quotes"
    form = _WANTED.get(finding["type"])
    return str(finding["msg"]) if form is None else form.format_map(context).replace("'", "")


def _named(path: Place) -> str:
    return ".".join(map(str, path)) or "suite"


def _found(value: Any) -> str:
    return "nothing" if value is None else f"{value!r:.60}"


def _model_at(path: Place, model: type[BaseModel]) -> type[BaseModel]:
    return next((_WITHIN[part] for part in reversed(path) if part in _WITHIN), model)


def _meant_key(name: str, model: type[BaseModel]) -> str:
    known: Collection[str] = model.model_fields
    near = [*known, *SPELLINGS] if model is CaseKeys else list(known)
    return meant(name, near) or f"known: {', '.join(known)}"


def _meant_value(finding: PydanticError) -> str:
    """Of a word that is none of a few, the nearest one."""
    if finding["type"] != "literal_error" or not isinstance(finding["input"], str):
        return ""
    near = meant(finding["input"], re.findall(r"'([^']*)'", finding["ctx"]["expected"]))
    return f"; {near}" if near else ""
