"""What tests of whole runs share: a folder to run in."""

import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_forgetting.models.free_memory import CGROUPS
from tests.faults.gate_runs import write_suite
from tests.tiny_models import tiny_llama

GROUP_BYTES = 512 * 2**20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A pair and a suite."""
    tiny_llama(tmp_path / "base", seed=1)
    tiny_llama(tmp_path / "tuned", seed=2)
    write_suite(tmp_path)
    return tmp_path


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 200 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k,mode=700", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a small disk, and not in every container")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Callable[[Path], None]]:
    """Makes a folder read-only in a way that binds root too, as modes do not."""
    mounted: list[Path] = []

    def make(folder: Path) -> None:
        if os.getuid() != 0:
            folder.chmod(0o500)
            return
        if subprocess.run(["mount", "--bind", str(folder), str(folder)], capture_output=True).returncode != 0:
            pytest.skip("modes do not bind root, and it may not mount in this container")
        mounted.append(folder)
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)

    yield make
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def limited_group() -> Iterator[Path]:
    """A real cgroup of `GROUP_BYTES`."""
    for parent, limit in (
        (CGROUPS / "memory", "memory.limit_in_bytes"),
        (CGROUPS, "memory.max"),
    ):
        group = parent / f"pytest-forgetting-{uuid.uuid4().hex}"
        try:
            group.mkdir()
            (group / limit).write_text(str(GROUP_BYTES))
        except OSError:
            if group.exists():
                group.rmdir()
            continue
        yield group
        group.rmdir()
        return
    pytest.skip("this machine lets nobody make a cgroup")
