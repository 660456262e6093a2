"""Commands in processes of their own: how long they take, and how much memory they hold at most."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    """What one command has cost."""

    seconds: float
    mib: float
    """Peak of resident memory of the process, or of the largest of its children."""
    output: str
    cpu: float = 0.0
    """Seconds of all cores: what other work on the machine disturbs less."""


def environment(work: Path, **more: str) -> dict[str, str]:
    """For both sides alike: as a user's, but without the network, and with caches in `work`."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    apart = {"HF_HOME": str(work / "hub"), "HOME": str(work / "home"), "PYTHONPATH": str(ROOT)}
    return {**own, **apart, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", **more}


def run(command: Sequence[str], folder: Path, variables: Mapping[str, str], expected: Sequence[int] = (0,)) -> Run:
    """Run `command` in `folder` to its end; ends the program where its exit code is none of `expected`."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if process.returncode not in expected:
        sys.exit(f"{text}\n{' '.join(command)}\nexit {process.returncode} in {folder}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(seconds, usage.ru_maxrss * unit / 2**20, text, usage.ru_utime + usage.ru_stime)
