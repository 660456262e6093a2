"""docs/machine-readable.md: its examples are what a run writes."""

import json
import re
from pathlib import Path

import pytest

from tests.plugin.conftest import Run
from tests.plugin.workflow import SILENT, commands
from tests.reports import CASE, fitting, read_cases, read_report

PAGE = (Path(__file__).parents[2] / "docs" / "machine-readable.md").read_text(encoding="utf-8")
REPORTS = ("report.json", "cases.jsonl", "report.md")


def block(language: str) -> str:
    """The first fenced example in `language`."""
    found = re.search(rf"^```{language}\n(.*?)\n```$", PAGE, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


def test_the_examples_are_what_is_written(
    pytester: pytest.Pytester, capitals: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of five capitals forgotten: JSON, JSON Lines, Markdown, JUnit and the annotation."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(pytester.path))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    wanted = [option for name in REPORTS for option in ("--forgetting-report", name)]
    result = capitals(*SILENT, *wanted, "--junitxml=junit.xml", wrong={"Spain": "Barcelona", "Peru": "Cusco"})
    report, cases = read_report(pytester.path / "report.json"), read_cases(pytester.path / "cases.jsonl")
    assert fitting(block("json"), "#/$defs/suite") == report["suites"][0]
    assert fitting(block("jsonl"), CASE) == cases[2] == report["cases"][2]
    assert (pytester.path / "report.md").read_text(encoding="utf-8").startswith(block("markdown") + "\n")
    junit = (pytester.path / "junit.xml").read_text(encoding="utf-8").replace(" />", "/>")
    assert [line for line in block("xml").splitlines() if line not in junit] == []
    assert commands(result) == [re.findall(r"^::error .*$", PAGE, re.MULTILINE)[0]]


def test_a_case_a_line_in_the_same_words() -> None:
    """The line on the page is one line, with sorted keys."""
    line = block("jsonl")
    assert json.dumps(json.loads(line), sort_keys=True) == line
