"""Processes that are ended from outside, with what they have begun."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.faults.gate_runs import PAIR, GateRun, journal, wait_until

WORKER = """
import os, time
from pytest_forgetting.session.termination import end_with_parent

end_with_parent()
print(os.getpid(), flush=True)
time.sleep(120)
"""
CONTROLLER = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {WORKER!r}])\n"
ENDED = """
import os, sys, time
from pathlib import Path
from pytest_forgetting.session.termination import before_termination

def failing():
    raise OSError

before_termination(lambda: Path("first").touch())
before_termination(failing)
before_termination(lambda: Path("taken back").touch())()
os.fork()
print(flush=True)
time.sleep(120)
"""


def gone(pid: int) -> bool:
    """Whether a process has ended within a minute; one that nobody has waited for counts as ended."""
    for _ in range(600):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.1)
    return False


def test_a_worker_ends_with_its_controller() -> None:
    """Even where that was killed and could tell nobody."""
    with subprocess.Popen([sys.executable, "-c", CONTROLLER], stdout=subprocess.PIPE, text=True) as controller:
        assert controller.stdout is not None
        worker = int(controller.stdout.readline())
        controller.kill()
    assert gone(worker)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")
def test_what_is_to_be_done_before_the_end_is_done(tmp_path: Path) -> None:
    """By the process that wants it, whatever else fails; a fork of it just ends, and so does the process itself."""
    with subprocess.Popen([sys.executable, "-c", ENDED], cwd=tmp_path, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(2):  # a signal that comes before the fork is ready is lost: Python clears what is pending
            process.stdout.readline()
        (fork,) = psutil.Process(process.pid).children()
        fork.terminate()
        assert gone(fork.pid)
        assert list(tmp_path.iterdir()) == []
        process.terminate()
    assert process.returncode == -signal.SIGTERM
    assert [path.name for path in tmp_path.iterdir()] == ["first"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_workers_do_not_outlive_a_run_that_is_ended(folder: Path, tmp_path: Path, number: signal.Signals) -> None:
    """They are gone within seconds, no report is there in part, and SIGTERM leaves no temporary answers."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    options, environment = (*PAIR, "--forgetting-no-store", "--batch-size=1", "-n2"), {"TMPDIR": str(temporary)}
    run = GateRun(folder, *options, environment=environment)
    wait_until(lambda: len(journal(folder)) > 1, run)
    assert run.process.pid is not None
    workers = psutil.Process(run.process.pid).children(recursive=True)
    assert len(workers) >= 2
    run.send(number)
    assert run.wait() == -number
    assert all(gone(worker.pid) for worker in workers)
    assert list(folder.glob("*run.json*")) == []
    if number == signal.SIGTERM:
        assert list(temporary.glob("pytest-forgetting-run-*")) == []
