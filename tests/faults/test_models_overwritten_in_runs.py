"""Models that a training saves over while the gate asks them: whole runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults.gate_runs import CASES, PAIR, GateRun, write_suite
from tests.reports import read_report
from tests.tiny_models import tiny_llama

OVERWRITE = """
import os, pytest, shutil
from pytest_forgetting.answers import store
from pytest_forgetting.models import resident


def overwrite():
    if os.path.exists("another"):
        shutil.copyfile("another/model.safetensors", "tuned/model.safetensors")
        shutil.rmtree("another")
"""
BEFORE_LOADING = """
load = resident.load_checkpoint


def overwritten(model, *rest):
    if "tuned" in model.ref:
        overwrite()
    return load(model, *rest)


resident.load_checkpoint = overwritten
"""
AFTER_LOADING = """
journalled, load, loaded = store.Store.keep, resident.load_checkpoint, []


def noted(model, *rest):
    loaded.append(model.ref)
    return load(model, *rest)


def kept_and_overwritten(self, answers):
    journalled(self, answers)
    if "./tuned" in loaded:
        overwrite()


store.Store.keep, resident.load_checkpoint = kept_and_overwritten, noted
"""
BEFORE_WORKERS_LOOK = """
@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session):
    if hasattr(session.config, "workerinput"):
        overwrite()
"""


def overwritten_in(folder: Path, moment: str, *options: str) -> tuple[int, str, list[dict[str, Any]]]:
    """A run in which the tuned model is overwritten at some moment: exit code, output, audit."""
    tiny_llama(folder / "another", seed=3)
    write_suite(folder, OVERWRITE + moment)
    run = GateRun(folder, *PAIR, "--forgetting-store=store", *options)
    code = run.wait()
    assert not (folder / "another").exists()
    assert "Traceback" not in run.said
    return code, run.said, run.report()["audit"] if run.report_path.exists() else []


def asked_for_the_first_time(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The reports of two runs on the models as they are now: with the store, and without."""
    write_suite(folder)
    stored = GateRun(folder, *PAIR, "--forgetting-store=store").report()
    return stored, GateRun(folder, *PAIR, "--forgetting-no-store").report()


@pytest.mark.slow
def test_overwritten_before_it_was_loaded(folder: Path) -> None:
    """The run ends in one line; nothing of the new weights is kept under the fingerprint of the old ones, or asked."""
    code, said, _ = overwritten_in(folder, BEFORE_LOADING)
    assert code == 3
    assert said.count("./tuned was overwritten while it was in use; run again") == 1
    stored, fresh = asked_for_the_first_time(folder)
    assert stored.pop("timing")["model_computed"] == CASES
    del fresh["timing"]
    assert stored == fresh


def test_overwritten_after_it_was_loaded(folder: Path) -> None:
    """All answers are those of the weights as they were, which the report says; the next run asks the new ones."""
    before = GateRun(folder, *PAIR, "--forgetting-no-store").report()
    code, said, audit = overwritten_in(folder, AFTER_LOADING, "--batch-size=4")
    assert code in (0, 1)
    told = [each["detail"] for each in audit if each["finding"] == "overwritten"]
    assert told == ["./tuned was overwritten meanwhile: all that is said here is of its files as they were before"]
    assert told[0][:20] in said
    after = GateRun(folder, *PAIR, "--forgetting-no-store", name="after").report()
    run = folder / "run.json"
    assert answers(read_report(run)) == answers(before) != answers(after)


def answers(report: dict[str, Any]) -> list[str]:
    """The tuned model's."""
    return [case["model"]["answer"] for case in report["cases"]]


@pytest.mark.slow
def test_overwritten_before_a_worker_has_looked(folder: Path) -> None:
    """Controller and worker see different models: that is no comparison."""
    code, said, _ = overwritten_in(folder, BEFORE_WORKERS_LOOK, "-n", "1")
    assert code == 3
    assert "./tuned was overwritten while it was in use; run again" in said
