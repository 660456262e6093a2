"""The published schema of reports in JSON. Other tests hold every report that they write against it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from math import inf
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from pytest_forgetting.answers.answer import Finish
from pytest_forgetting.commands.schemas import report_schema
from pytest_forgetting.comparison.causes import CAUSES
from pytest_forgetting.comparison.comparison import Comparison, Decision, Recommendation, Timing
from pytest_forgetting.comparison.gates import Verdict
from pytest_forgetting.comparison.outcomes import Outcome
from pytest_forgetting.comparison.participants import Finding, Participant
from pytest_forgetting.evaluation.pair import shown_settings
from pytest_forgetting.grading.choices import SCORES
from pytest_forgetting.reporting.json_report import SCHEMA_VERSION, report, to_json, to_jsonl
from pytest_forgetting.settings import INCONCLUSIVE_CHOICES, RULES, THINK_CHOICES, Settings
from pytest_forgetting.suites.cases import SEVERITIES, Kind, Role
from tests.comparison.lost import forgotten, retained, suite_of
from tests.reports import CASE, fitting

SCHEMA = report_schema()
PARTS = SCHEMA["$defs"]


def comparison(*results: Any) -> Comparison:
    """A report with something at each of its lists."""
    sides = Participant("base", "b", "float32", "cpu", 7), Participant("tuned", "t")
    audit = (Finding("eos", "warning", "differs"),)
    advice = (Recommendation("replay", "mix", "lost"),)
    suite = suite_of(results or (forgotten("Rome", right=(-1.0, -inf)), retained()))
    return Comparison("fail", *sides, (suite,), shown_settings(Settings()), audit, Timing(), advice)


def fields(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field that is described somewhere in `schema`, with its path."""
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from fields(field, f"{path}.{name}")


def test_it_is_a_schema() -> None:
    """Of draft 2020-12, with an address of its own."""
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == f"urn:pytest-forgetting:report:{SCHEMA_VERSION}"
    assert SCHEMA["properties"]["schema_version"]["const"] == SCHEMA_VERSION


def test_every_field_is_described() -> None:
    """In a sentence, and so is every part."""
    told = [*fields(SCHEMA), *(each for name, part in PARTS.items() for each in fields(part, name)), *PARTS.items()]
    assert len(told) > 90
    assert [path for path, field in told if not field.get("description", "").endswith(".")] == []


def test_its_words_are_those_of_the_code() -> None:
    """Each list of allowed values is the list that the code knows."""

    def allowed(part: str, name: str) -> set[object]:
        return set(PARTS[part]["properties"][name]["enum"])

    assert set(SCHEMA["properties"]["decision"]["enum"]) == set(get_args(Decision))
    assert allowed("case", "outcome") == allowed("case", "first_outcome") == set(get_args(Outcome))
    assert allowed("case", "cause") == {*CAUSES, None}
    assert allowed("case", "severity") == {*SEVERITIES, None}
    assert allowed("side", "finish") == set(get_args(Finish))
    assert allowed("scope", "verdict") == set(get_args(Verdict))
    assert allowed("scope", "rule") == set(RULES)
    assert allowed("suite", "kind") == set(get_args(Kind))
    assert allowed("suite", "role") == set(get_args(Role))
    assert allowed("settings", "rule") == {*RULES, None}
    assert allowed("settings", "inconclusive") == set(INCONCLUSIVE_CHOICES)
    assert allowed("settings", "think") == set(THINK_CHOICES)
    assert allowed("finding", "severity") == {"info", "warning", "fatal"}
    assert set(PARTS["choosing"]["properties"]["accuracies"]["properties"]) == set(SCORES)


def test_every_report_fits_and_each_of_its_lines_is_a_case() -> None:
    """What a model holds impossible is null; a line of the JSON Lines report is a case of the JSON report."""
    made = comparison()
    cases = fitting(to_json(made))["cases"]
    assert cases[0]["right_answer"]["model"] is None
    assert [fitting(line, CASE) for line in to_jsonl(made).splitlines()] == cases
    scored = replace(retained(), model=replace(retained().model, loglikelihoods=(-inf,)))
    assert fitting(to_json(comparison(scored)))["cases"][0]["model"]["loglikelihoods"] == [None]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["decision"], "maybe"),
        (["extra"], 1),
        (["suites", 0, "extra"], 1),
        (["suites", 0, "baseline_accuracy"], 94.2),
        (["suites", 0, "retained"], -1),
        (["cases", 0, "outcome"], "lost"),
        (["cases", 0, "model", "answer"], None),
        (["cases", 0, "model", "extra"], 1),
        (["timing", "model_seconds"], None),
        (["audit", 0, "detail"], 3),
        (["settings", "confidence"], 95),
    ],
)
def test_what_is_no_report_is_refused(path: list[str | int], value: object) -> None:
    """Per cent in the place of shares, unknown fields, words that mean nothing."""
    found = json.loads(to_json(comparison()))
    place = found
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    with pytest.raises(AssertionError, match=str(path[-1])):
        fitting(json.dumps(found))


@pytest.mark.parametrize("name", list(report(comparison())))
def test_every_part_of_a_report_is_required(name: str) -> None:
    """Readers need not ask whether it is there."""
    found = json.loads(to_json(comparison()))
    del found[name]
    with pytest.raises(AssertionError, match=f"'{name}' is a required property"):
        fitting(json.dumps(found))
