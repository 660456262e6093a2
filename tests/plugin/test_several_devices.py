"""xdist's workers on a machine with several devices: each asks on its own, and nothing is asked twice."""

from pathlib import Path
from typing import Any

import pytest

from pytest_forgetting.models.devices import CPU_DEVICES
from tests.plugin.real_runs import PAIR, run, same
from tests.tiny_models import tiny_llama

CASES = 150
QA = "forgetting: qa\nmax_new_tokens: 24\ncases:\n" + "".join(
    f"  - {{id: c{n}, prompt: 'number {n}', answer: '{n % 10}', match: contains}}\n" for n in range(CASES)
)
LOADS = """
import os
import pathlib

from pytest_forgetting.answers.local_engine import LocalEngine
from pytest_forgetting.answers.slot import Slots

load, take = LocalEngine._loading, Slots.take


def loading(self):
    if self._pair is None:
        pathlib.Path(f"load-{os.getpid()}-{id(self)}").touch()
    return load(self)


def taken(self, tenant):
    devices = take(self, tenant)
    for device in devices:
        pathlib.Path(f"took-{os.getpid()}-{device.name}").touch()
    return devices


LocalEngine._loading, Slots.take = loading, taken
"""
"""A conftest that leaves a file for each load of a pair, and for each device that a process takes."""


@pytest.fixture
def pair(pytester: pytest.Pytester) -> Path:
    """./base and ./tuned, and a suite that is worth dividing."""
    tiny_llama(pytester.path / "base", seed=1)
    return tiny_llama(pytester.path / "tuned", seed=2)


def write_suites(pytester: pytest.Pytester) -> None:
    """A suite of questions, and texts whose divergence is measured."""
    (pytester.path / "s.yaml").write_text(QA)
    texts = "".join(f"  - {{text: 'The text of number {n} is short.'}}\n" for n in range(40))
    (pytester.path / "t.yaml").write_text(f"forgetting: text\ncases:\n{texts}")


def reported(pytester: pytest.Pytester, *options: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The report of a run from an empty store, and its timing."""
    for old in (pytester.path / "store").glob("answers*"):
        old.unlink()
    report = run(pytester, *PAIR, "t.yaml", *options)[1]
    timing = report.pop("timing")
    return report, timing


@pytest.mark.parametrize(("workers", "devices"), [pytest.param(2, 2, marks=pytest.mark.slow), (4, 2)])
def test_workers_share_the_work_out(
    pytester: pytest.Pytester, pair: Path, monkeypatch: pytest.MonkeyPatch, workers: int, devices: int
) -> None:
    """Each device's worker loads once, the others queue; cases are answered once; the report is that of one process."""
    write_suites(pytester)
    alone, timing = reported(pytester)
    assert timing["model_computed"] == CASES + 40
    (pytester.path / "conftest.py").write_text(LOADS)
    monkeypatch.setenv(CPU_DEVICES, str(devices))
    together, timing = reported(pytester, "-n", str(workers))
    assert same(together, alone)
    assert (timing["baseline_computed"], timing["model_computed"]) == (CASES + 40, CASES + 40)
    assert len(list(pytester.path.glob("load-*"))) == devices
    assert {path.name.rpartition("-")[2] for path in pytester.path.glob("took-*")} == {"0", "1"}
    assert not list((pytester.path / "store" / "claims").glob("*.json"))


def test_a_killed_workers_share_is_done_by_others(
    pytester: pytest.Pytester, pair: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that dies with work claimed and a device held leaves both to the others."""
    write_suites(pytester)
    alone, _ = reported(pytester)
    monkeypatch.setenv(CPU_DEVICES, "2")
    (pytester.path / "conftest.py").write_text(
        "import os, pathlib, signal\n"
        "from pytest_forgetting.answers.progress import Watched\n"
        "deliver = Watched.deliver\n"
        "def once(self, answers):\n"
        "    deliver(self, answers)\n"
        "    try:\n"
        "        pathlib.Path('killed').touch(exist_ok=False)\n"
        "    except FileExistsError:\n"
        "        return\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "Watched.deliver = once\n"
    )
    together, _ = reported(pytester, "-n", "2", "--batch-size", "8")
    assert (pytester.path / "killed").exists()
    assert same(together, alone)
