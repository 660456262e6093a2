"""Suites that do not lie below pytest's root, which `-c` and `--rootdir` move, or in folders of odd names."""

from pathlib import Path

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make

from pytest_forgetting.answers.answer import Answer
from tests.recordings import CAPITALS, SUITE, record, record_suites, write_capitals
from tests.reports import read_report

LOST = {**CAPITALS, "Spain": "Barcelona", "Peru": "Cusco"}


def two_suites(folder: Path) -> None:
    """`kept/s.yaml` and `lost/s.yaml`, of which a gate fails for the second alone, and a configuration elsewhere."""
    asked = {}
    for name, answers in (("kept", CAPITALS), ("lost", LOST)):
        (folder / name).mkdir()
        suite = write_capitals(folder / name, SUITE.replace("Capitals", name)).rename(folder / name / "s.yaml")
        asked[suite] = {case: [Answer(text, "eos")] for case, text in answers.items()}
    right = {suite: {case: [Answer(text, "eos")] for case, text in CAPITALS.items()} for suite in asked}
    record_suites(folder / "old.json", right)
    record_suites(folder / "new.json", asked)
    (folder / "ci").mkdir()
    (folder / "ci" / "pytest.ini").write_text("[pytest]\n")


def gate(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    """The command; workers need a process of their own."""
    fixed = ("-p", "no:randomly", "--model=new.json", "--baseline=old.json", "--forgetting-report=report.json")
    run = pytester.runpytest_subprocess if "-n2" in options else pytester.runpytest_inprocess
    return run(*fixed, *options)


@pytest.mark.parametrize("named", [("kept/s.yaml", "lost/s.yaml"), ("kept", "lost"), (".",)], ids=str)
@pytest.mark.parametrize("workers", [(), pytest.param(("-n2",), marks=pytest.mark.slow)], ids=["here", "workers"])
def test_each_suite_outside_of_the_root_is_judged(
    pytester: pytest.Pytester, named: tuple[str, ...], workers: tuple[str, ...]
) -> None:
    """pytest gives one id to all files there; the second one passed for the first."""
    two_suites(pytester.path)
    result = gate(pytester, "-c", "ci/pytest.ini", *named, *workers)
    assert result.ret == 1
    result.assert_outcomes(passed=9, xfailed=2, failed=1)
    suites = read_report(pytester.path / "report.json")["suites"]
    assert [(suite["path"], suite["verdict"]) for suite in suites] == [
        ("../kept/s.yaml", "pass"),
        ("../lost/s.yaml", "fail"),
    ]


def test_what_failed_outside_of_the_root_is_found_again(pytester: pytest.Pytester) -> None:
    """`--lf` goes by ids."""
    two_suites(pytester.path)
    gate(pytester, "-c", "ci/pytest.ini", "kept", "lost")
    gate(pytester, "-c", "ci/pytest.ini", "kept", "lost", "--lf").assert_outcomes(failed=1, deselected=11)


@pytest.mark.slow
def test_workers_find_a_suite_in_a_folder_with_colons(pytester: pytest.Pytester) -> None:
    """The controller parts the ids that workers tell it."""
    (pytester.path / "a::b").mkdir()
    suite = write_capitals(pytester.path / "a::b")
    record(pytester.path / "old.json", suite, CAPITALS)
    record(pytester.path / "new.json", suite, LOST)
    assert gate(pytester, ".", "-n2").ret == 1
    assert read_report(pytester.path / "report.json")["decision"] == "fail"
