"""The gate in processes of its own that can be killed: forked from one that has imported the libraries already."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.reports import read_report

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess

LIBRARIES = ["torch", "transformers", "pytest_forgetting.answers.asking", "pytest_forgetting.models.resident"]
CASES = 48
PAIR = ("--model=./tuned", "--baseline=./base")
JOURNAL = """
import json, os
from pytest_forgetting.answers.store import Store

keep = Store.keep


def kept(self, answers):
    keep(self, answers)
    line = json.dumps([key.hex() for key in answers]) + "\\n"
    journal = os.open("journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(journal, line.encode())
    os.close(journal)


Store.keep = kept
"""
"""A conftest that writes down, behind each batch, which answers the store has taken."""
PATIENCE = 240
"""Seconds; a run takes two on an idle machine."""


def write_suite(folder: Path, conftest: str = "", prompt: str = "number {n}") -> None:
    """`s.yaml`: short questions to the tiny pair, and a conftest that keeps the journal and does what is given."""
    prompts = ((n, prompt.format(n=n)) for n in range(CASES))
    rows = (f"  - {{id: c{n}, prompt: '{asked}', answer: '{n % 10}', match: contains}}\n" for n, asked in prompts)
    (folder / "s.yaml").write_text(f"forgetting: qa\nmax_new_tokens: 24\ncases:\n{''.join(rows)}")
    (folder / "conftest.py").write_text(JOURNAL + conftest)


def journal(folder: Path) -> list[list[str]]:
    """The keys that were kept, batch by batch; half a line at the end is none."""
    path = folder / "journal"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


class GateRun:
    """One run of the gate in `folder`, as a process of its own."""

    def __init__(self, folder: Path, *options: str, name: str = "run", environment: Mapping[str, str] | None = None):
        """Start it; it writes `name`.json and `name`.log."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(LIBRARIES)
        self.report_path, self.log_path = folder / f"{name}.json", folder / f"{name}.log"
        self.report_path.unlink(missing_ok=True)
        arguments = (*options, "--forgetting-report", self.report_path.name)
        self.process: ForkServerProcess = context.Process(
            target=_gate,
            args=(str(folder), arguments, str(self.log_path), {**os.environ, **(environment or {})}),
            daemon=True,
        )
        self.started = time.monotonic()
        self.process.start()

    def send(self, number: int) -> None:
        """A signal, if it still runs."""
        if self.process.is_alive() and self.process.pid is not None:
            with contextlib.suppress(ProcessLookupError):  # it may have ended since
                os.kill(self.process.pid, number)

    def wait(self) -> int:
        """How it ended: its exit code, or the signal's number below zero."""
        self.process.join(PATIENCE)
        assert self.process.exitcode is not None, f"it still runs:\n{self.said}"
        return self.process.exitcode

    @property
    def said(self) -> str:
        """What it has printed up to now."""
        return self.log_path.read_text() if self.log_path.exists() else ""

    def report(self) -> dict[str, Any]:
        """What it has written, once it has ended by itself."""
        code = self.wait()
        assert code in (0, 1), f"exit {code}:\n{self.said}"
        return read_report(self.report_path)


def wait_until(happened: Callable[[], bool], run: GateRun) -> None:
    """Until something has happened in a run that still goes on."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert run.process.is_alive(), f"it ended too early:\n{run.said}"
        assert time.monotonic() < deadline, run.said
        time.sleep(0.002)


def _gate(folder: str, arguments: tuple[str, ...], log: str, environment: Mapping[str, str]) -> None:
    """What the process does."""
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # to be found by the new environment
    os.chdir(folder)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
    import pytest
    import torch

    torch.set_num_threads(1)
    fixed = ("s.yaml", "--rootdir=.", "--device=cpu", "-p", "no:randomly", "-p", "no:cacheprovider")
    sys.exit(int(pytest.main([*fixed, *arguments])))
