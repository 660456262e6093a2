"""Suites of any size: nothing is done once more for each case, window, category or failure."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import scipy.optimize  # noqa: F401 - numpy cannot be imported twice in one process

from pytest_forgetting.answers.recording import Recording
from pytest_forgetting.session.asking_ahead import WINDOW
from pytest_forgetting.suites.cases import Case
from pytest_forgetting.suites.loading import load_suite
from tests.recordings import record
from tests.reports import fitting

CASES = 3 * WINDOW
ARGS = ("--model=new.json", "--baseline=old.json", "-p", "no:randomly", "many.yaml")


def many(folder: Path, gate: str = "gate: {max_drop: 0.5}") -> Path:
    """A suite of several windows of cases in four categories, and two recordings; the model has lost the first."""
    rows = [{"id": f"c{n}", "question": f"{n}?", "answer": str(n), "category": f"k{n % 4}"} for n in range(CASES)]
    (folder / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    suite = folder / "many.yaml"
    suite.write_text(f"forgetting: qa\nsource: cases.jsonl\n{gate}\n")
    right = {str(row["id"]): str(row["answer"]) for row in rows}
    record(folder / "old.json", suite, right)
    record(folder / "new.json", suite, {**right, "c0": "none"})
    return suite


def test_recordings_are_compared_with_the_suite_once(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With -x answers come window by window; to look at all cases for each would take a hundred times as long."""
    many(pytester.path)
    looked: list[str] = []
    misfits = Recording.misfits

    def watched(self: Recording, suite: str, cases: Sequence[Case]) -> list[str]:
        looked.append(self.ref)
        return misfits(self, suite, cases)

    monkeypatch.setattr(Recording, "misfits", watched)
    pytester.runpytest_inprocess(*ARGS, "-x").assert_outcomes(passed=CASES, xfailed=1)
    assert sorted(looked) == ["new.json", "old.json"]


def test_the_gates_of_a_family_speak_of_the_same_cases(tmp_path: Path) -> None:
    """Under the rule `significant` each gate needs all categories: one list for all of them."""
    suite = load_suite(many(tmp_path, "gate: {category_max_drop: 0.5, rule: significant}"))
    scopes = [suite.gate_scope(category) for category in suite.categories]
    assert len(scopes[0]) == CASES
    assert all(scope is scopes[0] for scope in scopes)


class Kept:
    """Counts the reports that the terminal has kept."""

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """When all is run."""
        self.kept = {name: len(reports) for name, reports in terminalreporter.stats.items()}


@pytest.mark.parametrize("options", [(), ("-v",)])
def test_one_report_is_kept_of_an_uneventful_case(pytester: pytest.Pytester, options: tuple[str, ...]) -> None:
    """pytest searches those of setup and teardown for each failure; only the gate's own are left."""
    many(pytester.path)
    kept = Kept()
    pytester.runpytest_inprocess(*ARGS, *options, plugins=[kept])
    assert kept.kept == {"passed": CASES, "xfailed": 1, "": 2}


def test_workers_reports_are_let_go_of_too(pytester: pytest.Pytester) -> None:
    """Reports that come from another process are known by what they bring with them."""
    many(pytester.path)
    pytester.makeconftest(
        "def pytest_terminal_summary(terminalreporter):\n"
        "    terminalreporter.write_line(f'kept {len(terminalreporter.stats[str()])}')\n"
    )
    result = pytester.runpytest_subprocess(*ARGS, "-n", "2")
    result.stdout.fnmatch_lines(["kept 2"])
    result.assert_outcomes(passed=CASES, xfailed=1)


def test_the_report_has_a_case_a_line(pytester: pytest.Pytester) -> None:
    """It can be read in a diff, and is still one JSON object with sorted keys."""
    many(pytester.path)
    pytester.runpytest_inprocess(*ARGS, "--forgetting-report=report.json")
    text = (pytester.path / "report.json").read_text()
    read = fitting(text)
    assert [case["id"] for case in read["cases"]] == [f"c{n}" for n in range(CASES)]
    assert json.dumps(read) == json.dumps(read, sort_keys=True)
    assert sum(line.startswith('  {"baseline"') for line in text.splitlines()) == CASES
