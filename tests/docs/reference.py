"""The reference pages of the documentation, made from the code: `python -m tests.docs.reference` writes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_forgetting.options import ENVIRONMENT, OPTIONS, PREFIX, Option
from pytest_forgetting.suites.cases import Kind
from pytest_forgetting.suites.check_schema import check_schema
from pytest_forgetting.suites.json_schema import suite_schema
from pytest_forgetting.suites.schema import ANSWERING, MEANINGFUL, NEEDED, SPELLINGS

DOCS = Path(__file__).parents[2] / "docs"
MADE = "<!-- Made from the code by `make docs`; a test sees that it is up to date. -->\n"
_SUITES = f"""\
{MADE}
# Every key of a suite

What each means in use, with examples, is in [suites](suites.md). A key that says nothing in a suite of its kind is an
error. `pytest --forgetting-schema` prints the same as a JSON Schema for editors.
"""
_OPTIONS = f"""\
{MADE}
# Options

Each has an ini key (`[tool.pytest.ini_options]` in `pyproject.toml`, `[pytest]` in `pytest.ini`) and an environment
variable: `--forgetting-max-drop` is `forgetting_max_drop` and `{ENVIRONMENT}MAX_DROP`. The command line wins, then the
environment, then the ini file. The short names are taken only where neither pytest nor a conftest of yours has them.
"""
Schema = Mapping[str, Any]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; bars in cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def suite_reference() -> str:
    """`docs/suite-reference.md`: each key with its type, default and meaning."""
    schema = suite_schema()
    parts = schema["definitions"]
    case = {name: told for name, told in parts["Case"]["properties"].items() if name not in SPELLINGS}
    spelled = [[f"`{other}`", f"`{name}`"] for other, name in SPELLINGS.items()]
    sections = [
        ("The suite", _keys(schema["properties"], parts, MEANINGFUL, schema.get("required", ()))),
        ("`gate:`", _keys(parts["GateKeys"]["properties"], parts, {}, ())),
        ("A case", _keys(case, parts, ANSWERING, ()) + _needed()),
        ("Other spellings", table(["written", "means"], spelled)),
        ("A source with columns of other names", _keys(parts["Source"]["properties"], parts, {}, ("path",))),
        ("A message, in `messages:`", _keys(parts["Turn"]["properties"], parts, {}, ("role", "content"))),
        ("An example, in `few_shot:`", _keys(parts["Shot"]["properties"], parts, {}, ("question", "answer"))),
        ("Checks", _checks()),
    ]
    return _SUITES + "".join(f"\n## {title}\n\n{text}" for title, text in sections)


def _keys(
    properties: Mapping[str, Schema], parts: Schema, kinds: Mapping[str, Sequence[Kind]], required: Sequence[str]
) -> str:
    rows = []
    for name, told in properties.items():
        default = "required" if name in required else f"`{json.dumps(told['default'])}`" if "default" in told else "–"
        where = ", ".join(kinds.get(name, ())) or "all"
        rows.append([f"`{name}`", *([where] if kinds else []), type_of(told, parts), default, told["description"]])
    return table(["key", *(["in"] if kinds else []), "type", "default", "meaning"], rows)


def type_of(schema: Schema, parts: Schema) -> str:
    """What a key takes, in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return type_of(parts[name], parts) if name not in _PARTS else _PARTS[name]
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(told for each in schema["anyOf"] if (told := type_of(each, parts))))
    if "allOf" in schema and "type" not in schema:
        return type_of(schema["allOf"][0], parts)
    if "%" in schema.get("pattern", ""):
        return "percentage"
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"list of: {type_of(schema.get('items', {}), parts) or 'any'}"
    if schema.get("type") == "object" and schema.get("additionalProperties"):
        return f"mapping to: {type_of(schema['additionalProperties'], parts)}"
    kinds = schema.get("type", [])
    named = (_plain(schema, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds))
    return " or ".join(name for name in named if name)


_PARTS = {"GateKeys": "mapping", "Case": "case", "Source": "source", "Check": "check", "Turn": "message"}
_PARTS["Shot"] = "example"
_NAMED = {"string": "text", "boolean": "true or false", "object": "mapping", "null": ""}


def _plain(schema: Schema, named: str) -> str:
    if named not in ("integer", "number"):
        return _NAMED[named]
    kind = "whole number" if named == "integer" else "number"
    low, high, above = (schema.get(name) for name in ("minimum", "maximum", "exclusiveMinimum"))
    if above is not None:
        low = above + 1 if named == "integer" else None
    bounds = {(True, True): f" from {low} to {high}", (True, False): f" from {low}"}
    return kind + bounds.get((low is not None, high is not None), "")


def _needed() -> str:
    needed = (f"`{kind}` {' and '.join(f'`{name}`' for name in names)}" for kind, names in NEEDED.items())
    return (
        f"\nA case must have: {'; '.join(needed)}. Beside it, all but `text` have one of `question`, `prompt` and"
        " `messages`.\n"
    )


def _checks() -> str:
    forms = next(form for form in check_schema()["anyOf"] if form.get("title") == "a check with its value")
    rows = [
        [f"`{name}`", type_of({key: each for key, each in told.items() if key != "description"}, {}) or "–", text]
        for name, told in forms["properties"].items()
        if not name.startswith("not-") and (text := told["description"])
    ]
    return _WRITTEN + table(["check", "value", "holds if"], rows)


_WRITTEN = """\
Each is written `{name: value}`, or as the bare name where it takes no value. `not-` before a name turns it round.
`levenshtein` takes a `threshold` beside it.

"""


def options_reference() -> str:
    """`docs/options.md`: each option with its meaning."""
    return _OPTIONS + "\n" + table(["option", "meaning"], map(_option, OPTIONS))


def _option(option: Option) -> list[str]:
    value = "" if option.metavar is None else f" {option.metavar}" if option.alone is None else f" [{option.metavar}]"
    names = [f"`--{PREFIX}-{option.name}{value}`", *([f"`--{option.name}`"] if option.short else [])]
    meaning = f"{option.help[0].upper()}{option.help[1:]}".replace("%%", "%")
    return ["<br>".join(reversed(names)), meaning if option.alone is None else f"{meaning}. No ini key."]


PAGES = {"suite-reference.md": suite_reference, "options.md": options_reference}

if __name__ == "__main__":
    for page, made in PAGES.items():
        (DOCS / page).write_text(made(), encoding="utf-8")
