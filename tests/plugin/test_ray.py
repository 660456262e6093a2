"""`--forgetting-engine ray` against the local engine, on real local clusters whose actors and nodes are killed."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import scipy.optimize  # noqa: F401 - numpy cannot be imported twice in one process

from pytest_forgetting.answers import ray_cluster
from tests.plugin.real_runs import PAIR, same
from tests.plugin.terminals import in_terminal
from tests.reports import read_report
from tests.tiny_models import tiny_adapter, tiny_llama

RAY = ("--forgetting-engine", "ray")
SUITES = {
    "qa": "forgetting: qa\nmax_new_tokens: 40\ncases:\n"
    + "".join(f"  - {{prompt: 'number {n}', answer: '{n % 10}', match: contains}}\n" for n in range(300)),
    "choice": "forgetting: choice\ncases:\n"
    + "".join(f"  - {{prompt: 'number {n} is', choices: ['one', 'two'], answer: 0}}\n" for n in range(30)),
    "text": "forgetting: text\ncases:\n" + "".join(f"  - {{text: 'Text {n} is short.'}}\n" for n in range(10)),
}


@pytest.fixture(scope="module", autouse=True)
def _imported_once() -> None:
    """Ray bears no second import, which there would be after one within a test: pytester takes modules back."""
    with contextlib.suppress(ImportError):
        import ray  # noqa: F401 - to have been imported


@pytest.fixture
def pair(pytester: pytest.Pytester) -> Path:
    """./base and an adapter on it, ./tuned, and three suites."""
    base = tiny_llama(pytester.path / "base", seed=1)
    for name, text in SUITES.items():
        (pytester.path / f"{name}.yaml").write_text(text)
    return tiny_adapter(pytester.path / "tuned", base, seed=2)


def reported(pytester: pytest.Pytester, *options: str, store: str = "") -> tuple[pytest.RunResult, dict[str, Any]]:
    """A run in a process of its own, and its report less the timing and the name of the device."""
    kept = ("--forgetting-store", store) if store else ("--forgetting-no-store",)
    own = (*PAIR, *(f"{name}.yaml" for name in SUITES), "--forgetting-report", "report.json", "-p", "no:randomly")
    result = pytester.runpytest_subprocess(*own, *kept, *options, timeout=300)
    report = read_report(pytester.path / "report.json")
    report.pop("timing")
    return result, report


def answers_in(store: Path) -> int:
    """How many answers are stored by now."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(store / "answers.sqlite")) as database:
        return int(database.execute("select count(*) from answers").fetchone()[0])
    return 0


@contextlib.contextmanager
def as_soon_as(holds: Callable[[], bool], act: Callable[[], None]) -> Iterator[list[str]]:
    """Act once, within the block, when something holds; what was done."""
    acted: list[str] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.01):
            if holds():
                act()
                acted.append("acted")
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield acted
    finally:
        ended.set()
        thread.join()


def of_ray(name: str) -> list[psutil.Process]:
    """Processes of this user's whose command line names `name`."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(name in part for part in process.cmdline()[:2]):
                found.append(process)
    return found


class TwoNodes:
    """A cluster of two nodes of one CPU each, on this machine."""

    def __init__(self) -> None:
        """Start it. Its process is not this one, which Ray's test cluster would bring down the second time."""
        script = str(Path(__file__).with_name("two_nodes.py"))
        self._process = subprocess.Popen(
            [sys.executable, "-P", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        told = (line.split() for line in self._process.stdout)
        self.address = next(words[1] for words in told if words[:1] == ["ADDRESS"])

    def kill_one(self) -> None:
        """Kill the node on which the driver is not."""
        assert self._process.stdin is not None
        self._process.stdin.write("kill\n")
        self._process.stdin.flush()

    def end(self) -> None:
        """End both nodes."""
        self._process.communicate(timeout=60)


@pytest.fixture
def cluster() -> Iterator[TwoNodes]:
    """Two nodes, until the test ends."""
    pytest.importorskip("ray")
    cluster = TwoNodes()
    yield cluster
    cluster.end()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_the_report_is_that_of_the_local_engine(
    pytester: pytest.Pytester, pair: Path, workers: tuple[str, ...]
) -> None:
    """From a local cluster of two actors, also where xdist's workers want to ask: one drives. Ray writes nothing."""
    pytest.importorskip("ray")
    before = {process.pid for process in of_ray("raylet")}
    _, alone = reported(pytester)
    result, spread = reported(pytester, *RAY, "--forgetting-ray-actors", "2", *workers)
    assert same(spread, alone)
    assert "ray" not in (result.stdout.str() + result.stderr.str()).lower().replace("forgetting-ray", "")
    assert {process.pid for process in of_ray("raylet")} <= before


@pytest.mark.slow
def test_a_lost_nodes_cases_are_answered_by_another(pytester: pytest.Pytester, pair: Path, cluster: TwoNodes) -> None:
    """A node is killed as soon as there are answers; the report is that of the local engine."""
    _, alone = reported(pytester)
    store = pytester.path / "store"
    kill = as_soon_as(lambda: answers_in(store) > 0, cluster.kill_one)
    with kill as killed:
        found = reported(pytester, *RAY, f"--forgetting-ray-address={cluster.address}", "--batch-size=4", store="store")
    assert killed
    assert same(found[1], alone)


@pytest.mark.slow
def test_a_killed_actor_is_replaced(pytester: pytest.Pytester, pair: Path, cluster: TwoNodes) -> None:
    """Its process ends by SIGKILL in mid-run; its cases are answered, and the report is that of the local engine."""
    _, alone = reported(pytester)
    store = pytester.path / "store"

    def kill() -> None:
        of_ray("AnsweringActor")[0].send_signal(signal.SIGKILL)

    with as_soon_as(lambda: answers_in(store) > 0, kill) as killed:
        found = reported(pytester, *RAY, f"--forgetting-ray-address={cluster.address}", "--batch-size=4", store="store")
    assert killed
    assert same(found[1], alone)


@pytest.mark.slow
def test_ctrl_c_leaves_no_ray_behind(pytester: pytest.Pytester, pair: Path) -> None:
    """The local cluster ends with the run."""
    pytest.importorskip("ray")
    before = {process.pid for process in of_ray("raylet")}
    code, written = in_terminal(
        pytester.path, *PAIR, "qa.yaml", "--forgetting-no-store", *RAY, interrupt_at="baseline", columns=120
    )
    assert code == 2, written
    deadline = time.monotonic() + 20
    while {process.pid for process in of_ray("raylet")} - before and time.monotonic() < deadline:
        time.sleep(0.2)
    assert {process.pid for process in of_ray("raylet")} <= before


def test_without_ray_the_extra_is_named(pytester: pytest.Pytester, pair: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that says what to install, and exit code 4."""
    monkeypatch.setattr(ray_cluster, "find_spec", lambda _: None)
    result = pytester.runpytest_inprocess(*PAIR, "qa.yaml", "--forgetting-no-store", *RAY)
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*--forgetting-engine ray needs Ray: pip install 'pytest-forgetting[[]ray[]]'"])


def test_an_address_where_nobody_answers(pytester: pytest.Pytester, pair: Path) -> None:
    """It is told in one line, with exit code 3."""
    pytest.importorskip("ray")
    result = pytester.runpytest_inprocess(*PAIR, "qa.yaml", *RAY, "--forgetting-ray-address=127.0.0.1:9")
    assert result.ret == 3
    result.stdout.fnmatch_lines(["*--forgetting-ray-address 127.0.0.1:9: no Ray cluster can be reached there: *"])
    assert "Traceback" not in result.stdout.str()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--forgetting-ray-actors=2",), "--forgetting-ray-actors without --forgetting-engine ray"),
        ((*RAY, "--forgetting-ray-address=ray://head:10001"), "wanted auto, or HOST:PORT such as 10.0.0.1:6379"),
        ((*RAY, "--forgetting-ray-cpus=0"), "--forgetting-ray-cpus: found '0', wanted a whole number above 0"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    pytester: pytest.Pytester, pair: Path, options: tuple[str, ...], told: str
) -> None:
    """Before anything is started."""
    result = pytester.runpytest_inprocess(*PAIR, "qa.yaml", "--forgetting-no-store", *options)
    assert result.ret == 4
    assert told in result.stderr.str()


def test_a_device_of_ones_own_is_refused(pytester: pytest.Pytester, pair: Path) -> None:
    """Where there is Ray, it says which actor computes where."""
    pytest.importorskip("ray")
    result = pytester.runpytest_inprocess(*PAIR, "qa.yaml", "--forgetting-no-store", *RAY, "--device=cuda:1")
    assert result.ret == 4
    assert "--device cuda:1: Ray gives each actor a device; use auto, cpu or cuda" in result.stderr.str()
