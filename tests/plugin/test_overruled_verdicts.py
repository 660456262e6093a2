"""What is red stays red, whatever conftests and other plugins do to items; what was only looked at says nothing."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make

from tests.recordings import CAPITALS, SUITE, record, write_capitals
from tests.reports import read_report

TWO_LOST = {"Spain": "Barcelona", "Peru": "Cusco"}
CRITICAL = (
    "forgetting: checklist\nname: Capitals\ngate: {max_drop: 0.9}\ncases:\n  - {id: France, test: capital,"
    " prompt: Where is the government of France?, severity: critical, checks: [contains: Paris]}\n"
)
CHANGES = {
    "marked xfail": "def pytest_collection_modifyitems(items):\n"
    "    for item in items:\n        item.add_marker(pytest.mark.xfail(reason='known'))\n",
    "report changed": "@pytest.hookimpl(wrapper=True)\ndef pytest_runtest_makereport(item, call):\n"
    "    report = yield\n    report.outcome = 'passed'\n    return report\n",
    "never run": "@pytest.hookimpl(tryfirst=True)\ndef pytest_runtestloop(session):\n    return True\n",
}
SKIPS = {
    "marked": "def pytest_collection_modifyitems(items):\n"
    "    for item in items:\n        item.add_marker(pytest.mark.skip(reason='later'))\n",
    "in a hook": "def pytest_runtest_setup(item):\n    if item.name == 'gate':\n        pytest.skip('later')\n",
}


def gate(
    pytester: pytest.Pytester, *options: str, wrong: Mapping[str, str] = TWO_LOST, conftest: str = ""
) -> pytest.RunResult:
    """Two recordings on `capitals.yaml`, beside a conftest; workers need a process of their own."""
    suite = pytester.path / "capitals.yaml"
    if not suite.exists():
        write_capitals(pytester.path)
    record(pytester.path / "old.json", suite, CAPITALS)
    record(pytester.path / "new.json", suite, {**CAPITALS, **wrong})
    if conftest:
        pytester.makeconftest(f"import pytest\n{conftest}")
    sides = ("--model=new.json", "--baseline=old.json", "--forgetting-report=report.json")
    run = pytester.runpytest_subprocess if "-n2" in options else pytester.runpytest_inprocess
    named = () if any(option.startswith("capitals.yaml") for option in options) else ("capitals.yaml",)
    return run("-p", "no:randomly", *sides, *named, *options)


def decision(folder: Path) -> object:
    """What the report says."""
    return read_report(folder / "report.json")["decision"]


@pytest.mark.parametrize("change", CHANGES)
def test_a_gate_that_fails_is_red_whatever_became_of_its_item(pytester: pytest.Pytester, change: str) -> None:
    """The exit code is that of table and report, and the reason is told."""
    result = gate(pytester, conftest=CHANGES[change])
    assert result.ret == 1
    assert decision(pytester.path) == "fail"
    result.stdout.fnmatch_lines(["forgetting: exit code 1: the run fails, although*", "*Capitals*40.0 pts*FAIL*"])


@pytest.mark.slow
@pytest.mark.parametrize("change", ["marked xfail", "report changed"])
def test_workers_change_nothing_about_that(pytester: pytest.Pytester, change: str) -> None:
    """The controller has the last word."""
    assert gate(pytester, "-n2", conftest=CHANGES[change]).ret == 1


DYING = """
import os, threading

def pytest_collection_finish(session):
    if hasattr(session.config, "workerinput"):
        threading.Timer(0.3, os._exit, [3]).start()

@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    if hasattr(session.config, "workerinput"):
        threading.Event().wait()
"""


@pytest.mark.slow
def test_a_gate_that_fails_is_red_where_all_workers_died(pytester: pytest.Pytester) -> None:
    """No item ran, which xdist does not take for a failure."""
    result = gate(pytester, "-n2", "--max-worker-restart=0", conftest=DYING)
    assert (result.ret, decision(pytester.path)) == (1, "fail")


@pytest.mark.parametrize("skip", SKIPS)
def test_a_gate_that_others_skip_has_no_verdict(pytester: pytest.Pytester, skip: str) -> None:
    """It is as if it had not been selected: nothing in table or report speaks for it."""
    result = gate(pytester, conftest=SKIPS[skip])
    assert result.ret == 0
    report = read_report(pytester.path / "report.json")
    assert (report["decision"], report["suites"][0]["verdict"]) == ("inconclusive", "reported")
    result.stdout.no_fnmatch_line("*FAIL*")


@pytest.mark.slow
def test_a_gate_that_workers_skip_has_no_verdict_either(pytester: pytest.Pytester) -> None:
    """The controller knows it from the report."""
    assert gate(pytester, "-n2", conftest=SKIPS["marked"]).ret == 0
    assert decision(pytester.path) == "inconclusive"


def test_an_undecided_gate_is_not_taken_for_a_skipped_one(pytester: pytest.Pytester) -> None:
    """It has spoken."""
    write_capitals(pytester.path, SUITE.replace("0.2", "0.2, rule: significant"))
    gate(pytester, "--forgetting-inconclusive=pass")
    assert read_report(pytester.path / "report.json")["suites"][0]["verdict"] == "inconclusive"


def test_a_case_that_a_conftest_skips_is_skipped(pytester: pytest.Pytester) -> None:
    """A marker counts where nothing else would happen to the case, too."""
    gate(pytester, conftest=SKIPS["marked"], wrong={}).assert_outcomes(skipped=6)


def test_a_critical_case_outside_the_selection_fails_a_run_whose_gate_counts_it(pytester: pytest.Pytester) -> None:
    """A gate speaks of its whole scope, and what the report calls failed is red."""
    (pytester.path / "capitals.yaml").write_text(CRITICAL)
    result = gate(pytester, "capitals.yaml::gate", wrong={"France": "Lyon"})
    assert (result.ret, decision(pytester.path)) == (1, "fail")


@pytest.mark.parametrize("option", ["--setup-plan", "--setup-only", "--fixtures", "--fixtures-per-test"])
def test_what_is_only_looked_at_has_no_result(pytester: pytest.Pytester, option: str) -> None:
    """No table, no report, and nothing is asked."""
    result = gate(pytester, option)
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*retained*")
    assert not (pytester.path / "report.json").exists()
