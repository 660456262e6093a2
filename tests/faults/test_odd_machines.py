"""Whole runs on a machine whose cache cannot be written, or whose clock is set back meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.gate_runs import CASES, PAIR, GateRun, write_suite

SET_BACK = """
import time

now, journalled = time.time, Store.keep


def kept_an_hour_ago(self, answers):
    journalled(self, answers)
    time.time = lambda: now() - 3600


Store.keep = kept_an_hour_ago
"""


@pytest.mark.slow
def test_a_cache_that_cannot_be_written(folder: Path, tmp_path: Path, read_only: Callable[[Path], None]) -> None:
    """Answers, fingerprints and locks go to a temporary folder of the user's, where the next run finds them."""
    for name in ("cache", "temporary"):
        (tmp_path / name).mkdir()
    read_only(tmp_path / "cache")
    environment = {"PYTEST_FORGETTING_CACHE": str(tmp_path / "cache"), "TMPDIR": str(tmp_path / "temporary")}
    first = GateRun(folder, *PAIR, environment=environment).report()
    second = GateRun(folder, *PAIR, environment=environment).report()
    assert first.pop("timing")["model_computed"] == CASES
    assert second.pop("timing")["model_stored"] == CASES
    assert first == second


def test_a_store_that_cannot_be_written_is_refused(folder: Path, read_only: Callable[[Path], None]) -> None:
    """One that the user has named: one line, exit code 4."""
    (folder / "store").mkdir()
    read_only(folder / "store")
    run = GateRun(folder, *PAIR, "--forgetting-store=store")
    assert run.wait() == pytest.ExitCode.USAGE_ERROR
    assert run.said.count(f"--forgetting-store {folder / 'store'}: cannot be written") == 1


@pytest.mark.slow
def test_a_clock_that_is_set_back(folder: Path) -> None:
    """By an hour, behind each batch: report, store and continuation are the same."""
    expected = GateRun(folder, *PAIR, "--forgetting-no-store").report()
    write_suite(folder, SET_BACK)
    report = GateRun(folder, *PAIR, "--forgetting-store=store").report()
    again = GateRun(folder, *PAIR, "--forgetting-store=store").report()
    assert report.pop("timing")["model_computed"] == again.pop("timing")["model_stored"] == CASES
    del expected["timing"]
    assert report == again == expected
