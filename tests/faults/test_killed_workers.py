"""xdist's workers that are killed while they hold the only device."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.faults.gate_runs import CASES, PAIR, GateRun, journal, wait_until, write_suite
from tests.plugin.real_runs import same

ASKING = """
import os


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        journalled = Store.keep

        def kept_by_a_worker(self, answers):
            with open("asking", "w") as file:
                file.write(str(os.getpid()))
            journalled(self, answers)

        Store.keep = kept_by_a_worker
"""
"""Behind it the file `asking` tells which worker has answers."""


@pytest.mark.slow
def test_a_worker_killed_amid_its_answers(folder: Path) -> None:
    """The lock on the device ends with it; another worker goes on from what is stored, and the report is the same."""
    options = (*PAIR, "--batch-size=4", "-n", "2")
    alone = GateRun(folder, *PAIR, "--batch-size=4", "--forgetting-no-store").report()
    (folder / "journal").unlink()
    write_suite(folder, ASKING)
    run = GateRun(folder, *options, "--forgetting-store=store")
    wait_until(lambda: len(journal(folder)) > 2, run)
    worker = int((folder / "asking").read_text())
    assert worker in {child.pid for child in psutil.Process(run.process.pid).children(recursive=True)}
    os.kill(worker, signal.SIGKILL)
    report = run.report()
    assert "worker 'gw" in run.said
    timing = report.pop("timing")
    del alone["timing"]
    assert same(report, alone)
    keys = [key for batch in journal(folder) for key in batch]
    assert len(keys) == len(set(keys))
    # What the killed worker has asked was not told; the others found it stored.
    assert timing["baseline_computed"] + timing["baseline_stored"] == CASES
