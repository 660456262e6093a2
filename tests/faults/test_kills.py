"""Real runs ended by real signals: afterwards the store opens, no answer is wrong, and the next run goes on."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.tiny_models import tiny_llama

QUESTIONS = 24
SLOWLY = """
import os, time
from pytest_forgetting.answers.watching import Watched

deliver = Watched.deliver

def slowly(self, answers):
    deliver(self, answers)
    open("delivered", "a").write(f"{len(answers)}\\n")
    time.sleep(float(os.environ.get("SLOWLY", "0")))

Watched.deliver = slowly
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models, a suite, and a conftest that leaves time between two batches."""
    here = tmp_path_factory.mktemp("killed")
    tiny_llama(here / "base", seed=1)
    tiny_llama(here / "tuned", seed=2)
    rows = [f"  - {{id: c{n}, prompt: 'number {n}', answer: '.', match: regex}}\n" for n in range(QUESTIONS)]
    (here / "s.yaml").write_text("forgetting: qa\nmax_new_tokens: 6\ncases:\n" + "".join(rows))
    (here / "conftest.py").write_text(SLOWLY)
    (here / "pytest.ini").write_text("[pytest]\n")
    return here


def start(folder: Path, store: str, report: str = "", pause: float = 0.0) -> subprocess.Popen[str]:
    """A run in a process of its own, in batches of three."""
    options = [f"--forgetting-report={report}"] if report else []
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
    asked = ["--model=./tuned", "--baseline=./base", "--device=cpu", "--batch-size=3", f"--forgetting-store={store}"]
    return subprocess.Popen(
        [*command, *asked, *options, "s.yaml"],
        cwd=folder,
        env={**os.environ, "SLOWLY": str(pause)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(folder: Path, store: str, report: str) -> dict[str, Any]:
    """The report of a run that nobody disturbs."""
    output = start(folder, store, report).communicate()[0]
    assert "Traceback" not in output
    read: dict[str, Any] = json.loads((folder / report).read_text())
    return read


@pytest.fixture(scope="module")
def undisturbed(folder: Path) -> dict[str, Any]:
    """What is reported where nobody is killed."""
    return finished(folder, "calm", "calm.json")


def see_equal(report: dict[str, Any], undisturbed: dict[str, Any]) -> None:
    """Equal outside of `timing`."""
    assert {**report, "timing": 0} == {**undisturbed, "timing": 0}


def wait_for_batches(folder: Path, count: int) -> None:
    """Until so many batches are stored."""
    log = folder / "delivered"
    while not log.exists() or len(log.read_text().splitlines()) < count:
        time.sleep(0.02)


def kill_pairs(folder: Path, pairs: int, seed: int) -> None:
    """Kill two runs on one store, each at a random moment, `pairs` times."""
    print(f"seed {seed}")
    draw = random.Random(seed)
    for _ in range(pairs):
        runs = [start(folder, "killed", pause=0.1) for _ in range(2)]
        for run, moment in zip(runs, sorted(draw.uniform(0.3, 8) for _ in runs), strict=True):
            try:
                run.wait(moment)
            except subprocess.TimeoutExpired:
                run.kill()
        for run in runs:
            run.communicate()


@pytest.mark.parametrize("pairs", [pytest.param(1, id="one"), pytest.param(25, id="many", marks=pytest.mark.slow)])
def test_killed_runs_on_one_store_lose_nothing(folder: Path, undisturbed: dict[str, Any], pairs: int) -> None:
    """SIGKILL at random moments: the run after it reports what an undisturbed run does."""
    kill_pairs(folder, pairs, seed=random.randrange(10**6))
    see_equal(finished(folder, "killed", "after.json"), undisturbed)
    assert list((folder / "killed").glob("*set-aside*")) == []


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_what_was_answered_before_a_signal_is_kept(folder: Path, undisturbed: dict[str, Any], sign: int) -> None:
    """All but the batch in flight is stored; Ctrl-C is exit 2."""
    store = f"store-{int(sign)}"
    (folder / "delivered").unlink(missing_ok=True)
    run = start(folder, store, pause=0.5)
    wait_for_batches(folder, 3)
    run.send_signal(sign)
    output = run.communicate()[0]
    assert run.returncode == (2 if sign == signal.SIGINT else -sign), output
    stored = sum(map(int, (folder / "delivered").read_text().split()))
    report = finished(folder, store, "after.json")
    see_equal(report, undisturbed)
    timing = report["timing"]
    assert timing["model_stored"] + timing["baseline_stored"] >= min(stored, 9)
