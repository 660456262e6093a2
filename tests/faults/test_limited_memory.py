"""A cgroup with less memory than the machine has, as containers are: real ones, where this user may make them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.conftest import GROUP_BYTES
from tests.faults.gate_runs import PAIR, GateRun, write_suite
from tests.tiny_models import tiny_llama

FREE = "from pytest_forgetting.models.free_memory import free_memory; print(free_memory())"
PROMPT = "number {n} of a row of numbers that is long enough for each of them to take thirty megabytes"


def enter(group: Path) -> str:
    """Python that moves its process into `group`."""
    return f"import os\nwith open({str(group / 'cgroup.procs')!r}, 'w') as file:\n    file.write(str(os.getpid()))\n"


def test_a_real_cgroup_bounds_a_process_in_it(limited_group: Path) -> None:
    """As the kernel writes it, whichever version it has."""
    command = [sys.executable, "-c", enter(limited_group) + FREE]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ}, check=False)
    assert done.returncode == 0, done.stderr
    assert GROUP_BYTES / 2 < int(done.stdout) <= GROUP_BYTES


@pytest.mark.slow
def test_a_run_keeps_within_its_cgroup(tmp_path: Path, limited_group: Path) -> None:
    """Batches are made for what it leaves, where the kernel would end the process: a row takes 30 MB."""
    for name, seed in (("base", 1), ("tuned", 2)):
        tiny_llama(tmp_path / name, seed=seed, hidden_size=32, intermediate_size=32768, num_hidden_layers=1)
    write_suite(tmp_path, prompt=PROMPT)
    whole = GateRun(tmp_path, *PAIR, "--forgetting-no-store").report()
    write_suite(tmp_path, enter(limited_group), prompt=PROMPT)
    report = GateRun(tmp_path, *PAIR, "--forgetting-no-store").report()
    assert {**report, "timing": None} == {**whole, "timing": None}
