"""Runs that are killed, interrupted or ended at any moment: what was answered stays, and nothing wrong is kept."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_forgetting.answers.store import Store
from tests.faults.gate_runs import CASES, PAIR, GateRun, journal, wait_until
from tests.plugin.real_runs import same

LARGEST_BATCH = 32
"""Answers: a second look asks in batches of its own size."""
IN_BATCHES = (*PAIR, "--forgetting-store=store", "--batch-size=4")


@dataclass(frozen=True)
class Undisturbed:
    """What runs are held against."""

    report: Mapping[str, Any]
    """Without its timing."""
    answers: Mapping[str, str]
    """Rows of the store by key."""
    seconds: float


def stored(folder: Path) -> dict[str, str]:
    """All rows of the store in `folder`, which is sound and was never set aside."""
    store = folder / "store"
    assert list(store.glob("*set-aside*")) == []
    if not (store / "answers.sqlite").exists():
        return {}
    opened = Store(store)
    assert opened.notes == []
    opened.close()
    with contextlib.closing(sqlite3.connect(store / "answers.sqlite")) as database:
        assert database.execute("pragma integrity_check").fetchall() == [("ok",)]
        return {key.hex(): answer for key, answer in database.execute("select key, answer from answers")}


@pytest.fixture
def undisturbed(folder: Path) -> Undisturbed:
    """One run to its end; its store is removed."""
    run = GateRun(folder, *IN_BATCHES)
    report = run.report()
    seconds = time.monotonic() - run.started
    assert report.pop("timing")["model_computed"] == CASES
    found = Undisturbed(report, stored(folder), seconds)
    start_afresh(folder)
    return found


def start_afresh(folder: Path) -> None:
    """Forget what was answered."""
    shutil.rmtree(folder / "store")
    (folder / "journal").unlink(missing_ok=True)


def see_continued(folder: Path, undisturbed: Undisturbed) -> None:
    """The store is sound and right, has lost nothing it had taken, and a run goes on from there to the same end."""
    kept = {key for batch in journal(folder) for key in batch}
    left = stored(folder)
    assert kept <= left.keys()
    assert len(left) - len(kept) <= LARGEST_BATCH
    see_right(left, undisturbed)
    (folder / "journal").unlink(missing_ok=True)
    report = GateRun(folder, *IN_BATCHES, name="next").report()
    del report["timing"]
    assert report == undisturbed.report
    anew = [key for batch in journal(folder) for key in batch]
    assert sorted([*anew, *left]) == sorted(undisturbed.answers)  # nothing twice, nothing left out
    see_right(stored(folder), undisturbed)


def see_right(answers: Mapping[str, str], undisturbed: Undisturbed) -> None:
    """Each is what the undisturbed run has; sums of many logits as far as float32 goes, as batches round otherwise."""
    assert answers.keys() <= undisturbed.answers.keys()
    wrong = [key for key, row in answers.items() if not same(json.loads(row), json.loads(undisturbed.answers[key]))]
    assert not wrong


def kill_at_random(folder: Path, undisturbed: Undisturbed, draw: random.Random) -> int:
    """Two runs at once on one store, each killed at a random moment, or one of them; how many kills hit a live run."""
    runs = [GateRun(folder, *IN_BATCHES, name=name) for name in ("one", "other")]
    chosen = draw.choice([runs, runs, runs[:1], runs[1:]])
    moments = sorted((draw.uniform(0, 1.5 * undisturbed.seconds), n) for n in range(len(chosen)))
    for moment, n in moments:
        time.sleep(max(0.0, chosen[n].started + moment - time.monotonic()))
        chosen[n].send(signal.SIGKILL)
    killed = sum(run.wait() == -signal.SIGKILL for run in chosen)
    for run in runs:
        if run.wait() != -signal.SIGKILL:
            report = run.report()
            del report["timing"]
            assert report == undisturbed.report
    return killed


@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_killed_at_any_moment(folder: Path, undisturbed: Undisturbed, kills: int) -> None:
    """SIGKILL costs no more than the batch in flight; whoever is left, and the next run, end as if nothing had been."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    draw, survived, rounds = random.Random(seed), 0, 0
    while survived < kills:
        survived += kill_at_random(folder, undisturbed, draw)
        see_continued(folder, undisturbed)
        start_afresh(folder)
        rounds += 1
    print(f"{survived} kills in {rounds} rounds")


def test_an_interrupted_run_goes_on_from_there(folder: Path, undisturbed: Undisturbed) -> None:
    """Ctrl-C between the first batches: pytest's exit code, no traceback, and what was answered stays."""
    run = GateRun(folder, *IN_BATCHES)
    wait_until(lambda: len(journal(folder)) > 1, run)
    run.send(signal.SIGINT)
    assert run.wait() == pytest.ExitCode.INTERRUPTED
    assert "KeyboardInterrupt" in run.said
    assert "Traceback" not in run.said
    assert 0 < len(stored(folder)) < len(undisturbed.answers)
    see_continued(folder, undisturbed)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_answers_that_are_not_to_be_kept_do_not_stay(folder: Path, tmp_path: Path, number: signal.Signals) -> None:
    """--forgetting-no-store: a run that is ended leaves nothing behind, one that is killed nothing to the next run."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    options, environment = (*PAIR, "--forgetting-no-store", "--batch-size=4"), {"TMPDIR": str(temporary)}
    run = GateRun(folder, *options, environment=environment)
    wait_until(lambda: len(journal(folder)) > 1, run)
    assert list(temporary.rglob("answers.sqlite"))
    run.send(number)
    assert run.wait() == -number
    if number == signal.SIGKILL:
        GateRun(folder, *options, environment=environment).report()
    assert list(temporary.rglob("answers.sqlite*")) == []
