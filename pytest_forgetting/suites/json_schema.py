"""JSON Schema of suite files, made from the models that check them: editors complete and check suites by it.

It never refuses what `load_suite` reads, and refuses what it can see to be wrong without reading other files. In draft
7, which editors know best.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING, Any, get_args

from pytest_forgetting.suites.building import RESERVED
from pytest_forgetting.suites.cases import Kind
from pytest_forgetting.suites.check_schema import Schema, check_schema
from pytest_forgetting.suites.schema import (
    ANSWERING,
    ASKED,
    MEANINGFUL,
    MEASURING,
    NEEDED,
    OF_DATASETS,
    SPELLINGS,
    CaseKeys,
    GateKeys,
    SourceKeys,
    SuiteKeys,
)

if TYPE_CHECKING:
    from pydantic import BaseModel

DIALECT = "http://json-schema.org/draft-07/schema#"
_REF = "#/definitions/"
_UNUSED: Schema = {"type": "null"}


def suite_schema(own_checks: Collection[str] = ()) -> Schema:
    """The schema of suite files.

    Args:
        own_checks: names of checks that users have registered; all others are refused.
    """
    suite, parts = _model(SuiteKeys)
    case, more = _model(CaseKeys)
    source, _ = _model(SourceKeys)
    parts |= more | {"Case": _case(case), "Source": _source(source), "Check": check_schema(own_checks)}
    for kind in get_args(Kind):
        parts[f"Case_{kind}"] = _case_of(kind)
    return {
        "$schema": DIALECT,
        "$id": "urn:pytest-forgetting:suite:1",
        "title": "Suite of pytest-forgetting",
        **_suite(suite),
        "definitions": parts,
    }


def _suite(schema: Schema) -> Schema:
    properties = schema["properties"]
    properties["template"] |= {"allOf": [{"pattern": r"\{question\}"}]}
    properties["messages"] |= {"contains": {"properties": {"content": {"pattern": r"\{question\}"}}}}
    # Draft 7 sees nothing beside a reference.
    properties["gate"] = {"description": GateKeys.__doc__, "allOf": [properties["gate"]]}
    properties["cases"] |= {"items": {"$ref": f"{_REF}Case"}}
    one = [{"type": "string", "minLength": 1}, {"$ref": f"{_REF}Source"}]
    properties["source"] |= {"anyOf": [*one, {"type": "array", "items": {"anyOf": one}}, _UNUSED]}
    some = {"required": ["cases"], "properties": {"cases": {"minItems": 1}}}
    return schema | {"anyOf": [some, {"required": ["source"]}], "allOf": [_when(kind) for kind in get_args(Kind)]}


def _source(schema: Schema) -> Schema:
    path, dataset = ({"anyOf": list(_given(name))} for name in ("path", "dataset"))
    datasets_own: Schema = {"not": {"anyOf": [each for name in OF_DATASETS for each in _given(name)]}}
    return schema | {"oneOf": [{"allOf": [path, datasets_own]}, dataset]}


def _when(kind: Kind) -> Schema:
    """What holds in suites of this kind only."""
    properties: Schema = {name: False for name, kinds in MEANINGFUL.items() if kind not in kinds}
    properties["cases"] = {"items": {"$ref": f"{_REF}Case_{kind}"}}
    odd: Schema = {"max_increase": _UNUSED}
    if kind == "text":
        odd = {name: False for name in GateKeys.model_fields if name not in MEASURING}
    properties["gate"] = {"properties": odd}
    held: Schema = {"properties": properties}
    if kind in MEANINGFUL["samples"]:
        often = {"properties": {"samples": {"exclusiveMinimum": 1}}, "required": ["samples"]}
        drawn = {"properties": {"temperature": {"exclusiveMinimum": 0}}, "required": ["temperature"]}
        held |= {"if": often, "then": drawn}
    return {"if": {"properties": {"forgetting": {"const": kind}}, "required": ["forgetting"]}, "then": held}


def _case(schema: Schema) -> Schema:
    properties = schema["properties"]
    for name in ("id", "category"):
        reserved = {"anyOf": [{"const": RESERVED}, {"type": "string", "pattern": "^ | $"}]}
        properties[name] |= {"not": reserved}
    properties["checks"]["anyOf"][0]["items"] = {"$ref": f"{_REF}Check"}
    for spelling, name in SPELLINGS.items():
        described = {"description": f"Another spelling of {name}. {properties[name]['description']}"}
        properties[spelling] = properties[name] | described
    twice = [pair for name in properties for pair in combinations(_spellings(name), 2)]
    return schema | {"title": "a case", "allOf": [{"not": {"required": list(pair)}} for pair in twice]}


def _case_of(kind: Kind) -> Schema:
    """What a case of this kind must have, and what means nothing in it."""
    odd = [name for name, kinds in ANSWERING.items() if kind not in kinds]
    properties: Schema = {spelling: _UNUSED for name in odd for spelling in _spellings(name)}
    if kind == "choice":
        properties |= {spelling: {"not": {"type": "array"}} for spelling in _spellings("correct_answer")}
    needed = [{"anyOf": list(_given(name))} for name in NEEDED[kind]]
    if kind in ANSWERING["question"]:
        needed.append({"oneOf": [{"anyOf": list(_given(name))} for name in ASKED]})
    return {"type": "object", "properties": properties, "allOf": needed}


def _spellings(name: str) -> list[str]:
    return [name, *(spelling for spelling, meant in SPELLINGS.items() if meant == name)]


def _given(name: str) -> Iterable[Schema]:
    """That a key is there, under one of its names; an empty one counts as left out."""
    return ({"required": [each], "properties": {each: {"not": _UNUSED}}} for each in _spellings(name))


def _model(model: type[BaseModel]) -> tuple[Schema, Schema]:
    """The schema of a model and of those within it, without what says nothing to a reader."""
    schema = _tidy(model.model_json_schema(ref_template=f"{_REF}{{model}}"))
    return schema, schema.pop("$defs", {})


def _tidy(value: Any) -> Any:
    if isinstance(value, list):
        return [_tidy(each) for each in value]
    if not isinstance(value, dict):
        return value
    # A title of a field repeats its name, and is text; a key called `title` would be a mapping.
    kept = {name: _tidy(each) for name, each in value.items() if not (name == "title" and isinstance(each, str))}
    if isinstance(told := kept.get("description"), str):
        kept["description"] = re.sub(r"\s+", " ", told)
    if "default" in kept and "properties" not in kept:
        kept |= _default(kept.pop("default"))
    return kept


def _default(value: Any) -> Schema:
    """A default as a suite would write it; none where it is that nothing is given."""
    if value is None or isinstance(value, dict):
        return {}
    if isinstance(value, str) and re.fullmatch(r"\d+(/\d+)?", value):
        return {"default": float(Fraction(value))}
    return {"default": value}
