"""Disks that are full, or take no large file: results stay right, and no file is half written."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import scipy.optimize  # noqa: F401 - numpy cannot be imported twice in one process

from tests.faults.gate_runs import CASES, PAIR, GateRun, write_suite
from tests.plugin.real_runs import same
from tests.recordings import CAPITALS, record, write_capitals
from tests.reports import read_report

SUFFIXES = (".json", ".jsonl", ".html", ".md")
NO_LARGE_FILES = """
import resource


def pytest_sessionstart():
    resource.setrlimit(resource.RLIMIT_FSIZE, (90_000, resource.RLIM_INFINITY))
"""
LOST = """
def pytest_sessionstart(session):
    if not hasattr(session.config, "workerinput"):
        Store.recall = lambda self, keys: {}
"""


def fill(disk: Path) -> None:
    """Leave no room on it."""
    subprocess.run(["dd", "if=/dev/zero", f"of={disk / 'filling'}", "bs=1k"], capture_output=True)


def test_reports_and_recordings_on_a_full_disk(pytester: pytest.Pytester, small_disk: Path) -> None:
    """Each is told in one line, what stood there before stays whole, and nothing else is left; exit code 3."""
    suite = write_capitals(pytester.path)
    old = record(pytester.path / "old.json", suite, CAPITALS)
    new = record(pytester.path / "new.json", suite, {**CAPITALS, "Peru": "Cusco"})
    recording = small_disk / "recording.json"
    paths = [small_disk / f"report{suffix}" for suffix in SUFFIXES]
    options: tuple[str, ...] = (f"--model={new}", f"--baseline={old}", suite.name, f"--forgetting-record={recording}")
    options += tuple(f"--forgetting-report={path}" for path in paths)
    assert pytester.runpytest_inprocess(*options).ret == 0
    before = {path: path.read_bytes() for path in (*paths, recording)}
    assert all(before.values())
    fill(small_disk)
    record(pytester.path / "new.json", suite, {**CAPITALS, "Peru": "a city whose name is very long" * 999})
    result = pytester.runpytest_inprocess(*options)
    assert result.ret == 3
    for path in before:
        result.stdout.fnmatch_lines([f"*could not write {path}: No space left on device"])
    assert {path: path.read_bytes() for path in before} == before
    assert sorted(small_disk.iterdir()) == sorted([*before, small_disk / "filling"])


@pytest.mark.slow
def test_a_store_that_may_not_grow(folder: Path) -> None:
    """In mid-run the system takes no more: the report is that of a run without a store, and says so."""
    expected = GateRun(folder, *PAIR, "--forgetting-no-store", "--batch-size=4").report()
    write_suite(folder, NO_LARGE_FILES)
    run = GateRun(folder, *PAIR, "--forgetting-store=store", "--batch-size=4")
    report = run.report()
    told = [each["detail"] for each in report["audit"] if each["finding"] == "store"]
    assert len(told) == 1
    assert "they are kept for this run only" in told[0]
    report["audit"] = [each for each in report["audit"] if each["finding"] != "store"]
    assert report.pop("timing")["model_computed"] == expected.pop("timing")["model_computed"] == CASES
    assert report == expected
    write_suite(folder)
    again = GateRun(folder, *PAIR, "--forgetting-store=store").report()
    assert 0 < again["timing"]["baseline_stored"] <= CASES
    assert [each for each in again["audit"] if each["finding"] == "store"] == []


@pytest.mark.slow
def test_workers_whose_store_may_not_grow(folder: Path) -> None:
    """What workers cannot save they hand to the controller: the report is complete, and says so."""
    options = (*PAIR, "--batch-size=4", "-n", "2")
    expected = GateRun(folder, *options, "--forgetting-no-store").report()
    write_suite(folder, NO_LARGE_FILES)
    report = GateRun(folder, *options, "--forgetting-store=store").report()
    assert "store" in {each["finding"] for each in report["audit"]}
    report["audit"] = [each for each in report["audit"] if each["finding"] != "store"]
    del report["timing"], expected["timing"]  # each worker has asked for itself
    assert same(report, expected)


@pytest.mark.slow
def test_a_run_whose_answers_got_lost_has_not_passed(folder: Path) -> None:
    """Whatever loses answers between processes or on the disk: exit code 3, and no gate is said to have passed."""
    write_suite(folder, LOST)
    run = GateRun(folder, *PAIR, "--forgetting-store=store", "-n", "1")
    assert run.wait() == 3
    report = read_report(run.report_path)
    assert report["decision"] == "inconclusive"
    assert "unfinished" in {each["finding"] for each in report["audit"]}
