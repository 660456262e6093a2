"""Memory that really runs out: the system refuses to give more from a chosen moment on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.faults.gate_runs import CASES, PAIR, GateRun, journal, write_suite
from tests.tiny_models import tiny_llama

WIDE: dict[str, Any] = {"hidden_size": 32, "intermediate_size": 32768, "num_hidden_layers": 1}
"""One token takes 128 KB in each of three tensors, so that a row takes some 15 MB."""
MB = 2**20
LIMITED = """
import ctypes, resource, pytest
import psutil
from pytest_forgetting.answers import batches, divergence

AT, ROOM, FOR = {at}, {room}, 10
MMAP_THRESHOLD = -3
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
libc.mallopt(MMAP_THRESHOLD, 65536)  # what is freed goes back to the system, and counts no more
succeeds, counted = batches._succeeds, []


def limit(room):
    used = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (used + room, resource.RLIM_INFINITY))
    reserve = libc.malloc(room)
    while libc.malloc(2**18):  # what lies free among what was allocated before
        pass
    libc.free(reserve)


def in_little_memory(job, batch):
    counted.append(len(batch))
    if len(counted) == AT:
        limit(ROOM)
    if len(counted) == AT + FOR:
        lift()
    done = succeeds(job, batch)
    with open("batches", "a") as file:
        file.write(json.dumps([len(batch), done]) + "\\n")
    return done


def lift():
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish():
    lift()


if AT:
    batches._succeeds = in_little_memory
"""
SCARCE_FOR_TWO = """
measured = divergence._measured


def in_little_memory(pair, scorers, had, has):
    if len(had[0].scored) < 20:
        return measured(pair, scorers, had, has)
    open("scarce", "w").close()
    limit(1000000)
    try:
        return measured(pair, scorers, had, has)
    finally:
        lift()


divergence._measured = in_little_memory
"""
"""Behind it: there is room for one model's part of a long text only."""
ROWS = 4
IN_BATCHES = (*PAIR, "--forgetting-store=store", f"--batch-size={ROWS}")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wide pair."""
    here = tmp_path_factory.mktemp("wide")
    for seed, name in enumerate(("base", "tuned")):
        tiny_llama(here / name, seed=seed, **WIDE)
    return here


@pytest.fixture
def folder(models: Path, tmp_path: Path) -> Path:
    """A folder with that pair, and prompts of some sixty tokens."""
    for name in ("base", "tuned"):
        (tmp_path / name).symlink_to(models / name)
    return tmp_path


def limited(folder: Path, at: int, room: int) -> None:
    """The suite, and for ten batches from `at` on no more than `room` bytes beside what is used by then."""
    write_suite(
        folder, LIMITED.format(at=at, room=room), prompt="{n} is a number, and what comes behind it is another one:"
    )


def tried(folder: Path) -> list[tuple[int, bool]]:
    """Each batch: its rows, and whether memory sufficed."""
    return [tuple(json.loads(line)) for line in (folder / "batches").read_text().splitlines()]


def without_timing(report: Mapping[str, Any]) -> dict[str, Any]:
    """What two runs have in common."""
    return {key: value for key, value in report.items() if key != "timing"}


@pytest.mark.slow
@pytest.mark.parametrize("at", [1, 14, 24])
def test_smaller_batches_are_asked(folder: Path, at: int) -> None:
    """In the first, a middle or the last batch of a side: all is answered, and the report is the same."""
    limited(folder, 0, 0)
    expected = without_timing(GateRun(folder, *PAIR, "--forgetting-no-store").report())
    (folder / "journal").unlink()
    limited(folder, at, 40 * MB)
    report = GateRun(folder, *IN_BATCHES).report()
    assert report["timing"]["model_computed"] == CASES
    assert without_timing(report) == expected
    failed = [rows for rows, done in tried(folder) if not done]
    assert failed[0] == ROWS
    assert any(done and rows < ROWS for rows, done in tried(folder)[at:])
    keys = [key for batch in journal(folder) for key in batch]
    assert len(keys) == len(set(keys))


@pytest.mark.slow
@pytest.mark.parametrize("at", [1, 3])
def test_a_row_that_does_not_fit_alone_ends_the_run(folder: Path, at: int) -> None:
    """Exit code 3 and one line that names the size that would fit; what was answered stays, and a run goes on there."""
    limited(folder, 0, 0)
    expected = without_timing(GateRun(folder, *PAIR, "--forgetting-no-store").report())
    (folder / "journal").unlink()
    limited(folder, at, 6 * MB)
    run = GateRun(folder, *IN_BATCHES)
    assert run.wait() == 3, run.said
    assert "Traceback" not in run.said
    told = re.findall(
        r"out of memory: a prompt of (\d+) tokens .* one of about (\d+) tokens in all would fit", run.said
    )
    assert told
    assert 0 < int(told[0][1]) < int(told[0][0])
    answered = sum(map(len, journal(folder)))
    assert answered == ROWS * (at - 1)
    limited(folder, 0, 0)
    report = GateRun(folder, *IN_BATCHES).report()
    assert report["timing"]["baseline_stored"] == answered
    assert without_timing(report) == expected


def test_a_text_that_is_too_much_for_two_models_is_left_out(folder: Path) -> None:
    """Divergence, which needs both at once, is not measured of it, and not tried for ever."""
    text = "The text whose likelihood is asked is of some length, as texts are. " * 2
    write_suite(folder, LIMITED.format(at=0, room=0) + SCARCE_FOR_TWO)
    (folder / "s.yaml").write_text(f"forgetting: text\ncases:\n  - text: '{text}'\n  - text: short\n")
    report = GateRun(folder, *PAIR, "--forgetting-store=store").report()
    assert (folder / "scarce").exists()
    (suite,) = report["suites"]
    assert suite["drift"]["baseline_nats_per_byte"] > 0
    assert suite["drift"]["kl_nats_per_token"] is None
