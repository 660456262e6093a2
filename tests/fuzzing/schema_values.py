"""Suites made after the published JSON Schema: every key with values of its kind, most of which can be loaded."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from hypothesis import strategies as st

from pytest_forgetting.suites.json_schema import suite_schema
from pytest_forgetting.suites.schema import ANSWERING, ASKED, MEANINGFUL, SPELLINGS

Schema = dict[str, Any]
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def schema_suites(draw: st.DrawFn) -> bytes:
    """A suite in JSON, which is YAML, of the kind that its cases are made for."""
    root = _root()
    kind = draw(st.sampled_from(root["properties"]["forgetting"]["enum"]))
    suite = _object(draw, _of_kind(root, kind, MEANINGFUL, ["cases", "source", "messages"]))
    case = _of_kind(root["definitions"]["Case"], kind, ANSWERING, [*SPELLINGS, *ASKED]) | {"required": _NEEDED[kind]}
    suite |= {"forgetting": kind, "cases": [_object(draw, case) for _ in range(draw(st.integers(1, 3)))]}
    return json.dumps(suite, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")


_NEEDED = {
    "qa": ["question", "answer"],
    "checklist": ["test", "prompt", "checks"],
    "choice": ["prompt", "choices", "answer"],
    "text": ["text"],
}


def _of_kind(schema: Schema, kind: str, kinds: Mapping[str, Collection[str]], others: Collection[str]) -> Schema:
    """Without the keys that mean nothing in suites of `kind`, and without `others` but those that it needs."""
    known = schema["properties"]
    odd = {name for name in known if kind not in kinds.get(name, kind)} | {*others} - {*_NEEDED[kind]}
    return schema | {"properties": {name: known[name] for name in known if name not in odd}}


@cache
def _root() -> Schema:
    return suite_schema()


def _object(draw: st.DrawFn, schema: Schema) -> dict[str, Any]:
    """What must be there, and up to three keys that may."""
    known: dict[str, Schema] = schema.get("properties", {})
    chosen = {*schema.get("required", ())}
    if known:
        chosen |= draw(st.sets(st.sampled_from(sorted(known)), max_size=3))
    found = {name: _value(draw, known.get(name, {})) for name in sorted(chosen)}
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict):
        found |= {name: _value(draw, extra) for name in draw(st.sets(st.sampled_from(["a", "math", "question"])))}
    return found


def _value(draw: st.DrawFn, schema: Schema) -> Any:
    """A value of the schema; one in sixty is anything."""
    if draw(st.integers(0, 59)) == 0:
        return draw(_ANYTHING)
    if "$ref" in schema:
        return _value(draw, _root()["definitions"][schema["$ref"].rpartition("/")[2]])
    for name in ("anyOf", "oneOf"):
        if name in schema:
            some = [each for each in schema[name] if each != {"type": "null"}]  # a null is as good as no key
            return _value(draw, draw(st.sampled_from(some)))
    if "allOf" in schema and "type" not in schema:
        return _value(draw, schema["allOf"][0])
    if "enum" in schema or "const" in schema:
        return draw(st.sampled_from(schema.get("enum") or [schema["const"]]))
    return _typed(draw, schema)


def _typed(draw: st.DrawFn, schema: Schema) -> Any:
    kind = schema.get("type")
    kind = draw(st.sampled_from(kind)) if isinstance(kind, list) else kind
    if kind == "object":
        return _object(draw, schema)
    if kind == "array":
        return [_value(draw, schema.get("items", {})) for _ in range(draw(st.integers(schema.get("minItems", 0), 3)))]
    if kind == "string":
        fitting = [word for word in _WORDS if re.search(schema.get("pattern", ""), word)]
        return draw(st.sampled_from(fitting or _WORDS))
    if kind in ("integer", "number"):
        least: Any = schema.get("minimum", schema.get("exclusiveMinimum", 0))
        most = min(schema.get("maximum", 2000), least + 2000)
        return draw(st.integers(least, most) if kind == "integer" else st.floats(least, most))
    return draw({"null": st.none(), "boolean": st.booleans()}.get(str(kind), _ANYTHING))


_WORDS = (
    "a",
    "b 1",
    "c d",
    "Paris",
    "{question}",
    "math",
    "5%",
    "1/20",
    "105",
    "more.jsonl",
    "^a+$",
    "(",
    "é",
    "a\nb",
    " ",
)
