"""JSON Schema of the checks that suites may name, in every form in which they may stand there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pytest_forgetting.suites.checks import LEVENSHTEIN_THRESHOLD

Schema = dict[str, Any]

_TEXT: Schema = {"type": ["string", "number"]}
_SOME: Schema = {**_TEXT, "minLength": 1}
_TEXTS: Schema = {"type": "array", "items": _SOME, "minItems": 1}
_WHOLE: Schema = {"type": "integer", "minimum": 0}
_NOTHING: Schema = {"type": "null"}
_JSON: Schema = {"type": ["object", "null"]}
_ANYTHING: Schema = {}
_SPAN: Schema = {
    "anyOf": [
        _WHOLE,
        {
            "type": "object",
            "properties": {"min": _WHOLE, "max": _WHOLE},
            "additionalProperties": False,
            "minProperties": 1,
        },
    ]
}
_NUMBER: Schema = {
    "anyOf": [
        {"type": "number"},
        {
            "type": "object",
            "properties": {"value": {"type": "number"}, "tolerance": {"type": "number", "minimum": 0}},
            "additionalProperties": False,
            "required": ["value"],
        },
    ]
}
_MENTIONS: Schema = {
    "type": "object",
    "properties": {
        "values": {
            "description": "What may be mentioned; a list in the list holds several names of one thing.",
            "type": "array",
            "items": {"anyOf": [_SOME, _TEXTS]},
            "minItems": 1,
        },
        "at_least": {
            "description": "How many of them; left out: all.",
            "type": "integer",
            "minimum": 1,
        },
    },
    "additionalProperties": False,
    "required": ["values"],
}
_BUILT_IN: Mapping[str, tuple[str, Schema]] = {
    "equals": ("the answer is this text, blanks around it aside", _TEXT),
    "contains": ("this text is in the answer", _SOME),
    "icontains": ("this text is in the answer, capitals or not", _SOME),
    "contains-any": ("at least one of these texts is in the answer", _TEXTS),
    "contains-all": ("all of these texts are in the answer", _TEXTS),
    "icontains-any": ("at least one of these texts is in the answer, capitals or not", _TEXTS),
    "icontains-all": ("all of these texts are in the answer, capitals or not", _TEXTS),
    "starts-with": ("the answer starts with this text, blanks before it aside", _SOME),
    "regex": ("this regular expression is found in the answer", _TEXT),
    "is-json": ("the whole answer is JSON; with a value, JSON that fits this JSON Schema", _JSON),
    "contains-json": ("JSON is in the answer; with a value, JSON that fits this JSON Schema", _JSON),
    "word-count": ("the answer has so many words: a number, or {min, max}", _SPAN),
    "sentence-count": ("the answer has so many sentences: a number, or {min, max}", _SPAN),
    "is-refusal": ("the answer declines", _NOTHING),
    "finished": ("the model ended by itself, and not at the token limit", _NOTHING),
    "levenshtein": ("the answer is few edits away from this text", _TEXT),
    "number": ("the answer comes to this number: a number, or {value, tolerance}", _NUMBER),
    "mentions": ("the answer mentions these, in whole words: {values, at_least}", _MENTIONS),
    "python": ("a function of yours, as package.module:function; refused without --forgetting-allow-python", _TEXT),
}
"""What each check asks, and the schema of its value."""


def check_schema(own: Collection[str] = ()) -> Schema:
    """The schema of one entry of `checks:`.

    Args:
        own: names of checks that users have registered; each takes any value.
    """
    known = {**_BUILT_IN, **dict.fromkeys(own, ("registered in a conftest", _ANYTHING))}
    every = {**known, **{f"not-{name}": (f"must not hold: {told}", value) for name, (told, value) in known.items()}}
    bare = [name for name, (_, value) in every.items() if _may_be_absent(value)]
    distance = [name for name in every if name.endswith("levenshtein")]
    return {
        "description": "A condition on the answer: {name: value}, {type: name, value: ...}, or the bare name.",
        "anyOf": [
            {"title": "a check without a value", "enum": bare},
            {
                "title": "a check with its value",
                "type": "object",
                "properties": {
                    name: {"description": _sentence(told), **value} for name, (told, value) in every.items()
                },
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            },
            *(
                {"title": f"{name} with a threshold", **_closed({name: _TEXT, **_THRESHOLD}), "required": [name]}
                for name in distance
            ),
            *(_typed(name, value) for name, (_, value) in every.items()),
        ],
    }


_THRESHOLD: Schema = {
    "threshold": {"description": f"The most edits; left out: {LEVENSHTEIN_THRESHOLD}.", "type": "integer", "minimum": 0}
}


def _may_be_absent(value: Schema) -> bool:
    return value == _ANYTHING or "null" in value.get("type", ())


def _closed(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _typed(name: str, value: Schema) -> Schema:
    properties = {"type": {"const": name}, "value": value}
    if name.endswith("levenshtein"):
        properties |= _THRESHOLD
    title = {"title": f"type: {name}"}
    return {**title, **_closed(properties), "required": ["type"] if _may_be_absent(value) else ["type", "value"]}


def _sentence(told: str) -> str:
    return f"{told[0].upper()}{told[1:]}."
