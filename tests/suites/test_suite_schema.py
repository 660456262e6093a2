"""The JSON Schema of suites: it never refuses what can be loaded, and refuses what it can see to be wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft7Validator

from pytest_forgetting.errors import SuiteError
from pytest_forgetting.suites.check_schema import check_schema
from pytest_forgetting.suites.checks import NAMES
from pytest_forgetting.suites.json_schema import suite_schema
from pytest_forgetting.suites.loading import load_suite
from pytest_forgetting.suites.positions import Document
from pytest_forgetting.suites.schema import SPELLINGS, CaseKeys, GateKeys, SuiteKeys
from tests.suites import test_choice_and_text_suites, test_suite_loading
from tests.suites.small_suites import suites

EXAMPLES = Path(__file__).parents[2] / "example_suites"
SCHEMA = suite_schema()
UNSEEN = (
    *("no mapping at the top", "alias", "given twice", "no text", "found the tag", "second document", ".nan"),
    *(
        "wanted blanks",
        "wanted every value",
        "wanted the character itself",
        ".inf",
        "an octal number",
        "a hexadecimal number",
        "a number to base",
    ),
    *("a truth value", "no case has the category", "literal braces", "unknown field", "regular expression"),
    *("the answer 'ten'", "from 1 to 1", "no JSON Schema", "lies outside", "does not exist", "of a kind that is read"),
    *(
        "refused without",
        "stands there twice",
        "one of the choices",
        "one of the labels",
        "is choice 0",
        "'1/0'",
        "'5%%'",
    ),
    *("1e-999999999", "1e999999999", "as many as there are choices"),
)
"""Findings that no JSON Schema can have: about YAML itself, other files, or values compared with each other."""


@cache
def validator() -> Draft7Validator:
    """Of the schema as it is published."""
    return Draft7Validator(SCHEMA)


def faults(text: str) -> list[str]:
    """What the schema finds in a suite."""
    return [f"{fault.json_path}: {fault.message}" for fault in validator().iter_errors(Document(text, "s.yaml").value)]


def structural() -> Iterator[str]:
    """All bad suites of the loader's tests whose fault is one of structure."""
    for text, message in (*test_suite_loading.BAD, *test_choice_and_text_suites.BAD):
        if "wanted plain YAML" not in message and not any(sign in message or sign in text for sign in UNSEEN):
            yield text


BAD = list(structural())


def test_it_is_a_schema_with_an_address() -> None:
    """Of draft 7, which editors know best."""
    Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == "urn:pytest-forgetting:suite:1"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_example_suites_fit_and_name_the_schema_beside_them(path: Path) -> None:
    """The comment in the first line is what editors go by; the path in it is relative to the suite."""
    text = path.read_text(encoding="utf-8")
    assert faults(text) == []
    named = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", text.splitlines()[0])
    assert named
    assert json.loads((path.parent / named[1]).read_text(encoding="utf-8")) == SCHEMA, (
        "write it anew: pytest --forgetting-schema > example_suites/suite.schema.json"
    )


@pytest.mark.parametrize("text", BAD, ids=[str(n) for n in range(len(BAD))])
def test_what_the_loader_refuses_for_its_structure_is_refused(text: str) -> None:
    """Unknown keys, wrong types, keys of other kinds, what is missing, numbers out of range."""
    assert faults(text)


def test_most_of_the_bad_suites_are_structural() -> None:
    """So that the test above is about something."""
    assert len(BAD) > 60


def test_every_key_is_described() -> None:
    """Editors show the sentence; defaults are written as a suite would write them."""
    parts = SCHEMA["definitions"]
    case, gate = parts["Case"]["properties"], parts["GateKeys"]["properties"]
    assert set(SCHEMA["properties"]) == set(SuiteKeys.model_fields)
    assert set(case) == {*CaseKeys.model_fields, *SPELLINGS}
    assert set(gate) == set(GateKeys.model_fields)
    described = [*SCHEMA["properties"].items(), *case.items(), *gate.items(), *parts["Source"]["properties"].items()]
    assert [name for name, each in described if not each.get("description", "").endswith(".")] == []
    assert gate["max_drop"]["default"] == 0.1
    assert case["answer"]["description"].startswith("Another spelling of correct_answer.")


def test_every_check_is_completed_with_its_twin() -> None:
    """All built-in names, each with `not-`, and what it asks."""
    (keys,) = (each["properties"] for each in check_schema()["anyOf"] if each.get("maxProperties") == 1)
    assert set(keys) == {f"{no}{name}" for name in (*NAMES, "python") for no in ("", "not-")}
    assert all(each["description"].endswith(".") for each in keys.values())


FORMS = """
finished · not-is-refusal · {finished: null} · {contains: x} · {not-contains-any: [a, 5]} · {is-json: null}
{is-json: {type: object}} · {word-count: 3} · {word-count: {min: 1}} · {number: 1.5} · {levenshtein: x}
{number: {value: 1, tolerance: 0.1}} · {mentions: {values: [a, [b, c]], at_least: 1}} · {type: finished}
{levenshtein: x, threshold: 2} · {type: not-levenshtein, value: x, threshold: 2} · {type: contains, value: x}
{python: 'a:b'}
"""
NONSENSE = """
contains · {contains: null} · {contains: [a]} · {contains-any: []} · {finished: 1} · {word-count: -1}
{word-count: true} · {word-count: {}} · {word-count: {min: true}} · {levenshtein: x, threshold: -1}
{levenshtein: x, threshold: true} · {contains: x, threshold: 1} · {contains: x, equals: y} · {type: contains}
{type: contans, value: x} · {mentions: {values: []}} · {mentions: {values: [a], at_least: true}} · 5 · {}
{number: {tolerance: 1}} · {number: true} · not-not-finished
"""


def entries(text: str) -> list[str]:
    """Checks as a suite has them, parted by dots and line breaks."""
    return re.split(r" · |\n", text.strip())


@pytest.mark.parametrize("entry", entries(FORMS))
def test_checks_in_all_their_forms(tmp_path: Path, entry: str) -> None:
    """Each can be loaded and fits."""
    text = f"forgetting: checklist\ncases:\n  - {{test: T, prompt: P, checks: [{entry}]}}\n"
    (tmp_path / "s.yaml").write_text(text)
    assert load_suite(tmp_path / "s.yaml", allow_python=True).cases[0].checks
    assert faults(text) == []


@pytest.mark.parametrize("entry", entries(NONSENSE))
def test_checks_that_cannot_be_meant(tmp_path: Path, entry: str) -> None:
    """Loader and schema agree."""
    text = f"forgetting: checklist\ncases:\n  - {{test: T, prompt: P, checks: [{entry}]}}\n"
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(SuiteError, match="checks"):
        load_suite(tmp_path / "s.yaml")
    assert faults(text)


@pytest.mark.parametrize("head", ["max_new_tokens: '50'", "samples: true", "think_tokens: 1.0", "temperature: '0.5'"])
def test_numbers_stand_without_quotes(tmp_path: Path, head: str) -> None:
    """Nothing is converted in silence."""
    (tmp_path / "s.yaml").write_text(f"forgetting: qa\n{head}\ncases:\n  - {{question: a, answer: b}}\n")
    with pytest.raises(SuiteError, match=f"s.yaml:2:.*{head.split(':')[0]}: wanted a (whole )?number"):
        load_suite(tmp_path / "s.yaml")


@given(suite=suites())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_can_be_loaded_fits(tmp_path: Path, suite: dict[str, Any]) -> None:
    """The schema is never stricter than the loader, so that no editor marks what is right."""
    (tmp_path / "x.jsonl").write_text('{"question": "a", "answer": "b"}\n')
    text = json.dumps(suite)
    (tmp_path / "s.yaml").write_text(text)
    try:
        load_suite(tmp_path / "s.yaml")
    except SuiteError:
        return
    assert faults(text) == []
