"""How much memory may still be taken: the least of what the machine, its cgroups and a process's own limits leave."""

import sys
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from pytest_forgetting.models.device_memory import free_bytes
from pytest_forgetting.models.free_memory import free_memory

MB = 2**20


def tree(folder: Path, groups: Mapping[str, Mapping[str, str]]) -> Path:
    """Files of cgroups by their paths."""
    for path, files in groups.items():
        (folder / path).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / path / name).write_text(f"{text}\n")
    return folder


def left(folder: Path, membership: str) -> int:
    """What `free_memory` says to a process in the cgroups that `membership` names."""
    told = folder / "membership"
    told.write_text(membership)
    return free_memory(folder / "cgroup", told)


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ({"a/b": {"memory.max": f"{80 * MB}", "memory.current": f"{30 * MB}"}}, 50 * MB),
        (
            {
                "a/b": {"memory.max": "max", "memory.current": f"{30 * MB}"},
                "a": {"memory.max": f"{64 * MB}", "memory.current": f"{40 * MB}"},
            },
            24 * MB,
        ),
        ({"a/b": {"memory.high": f"{60 * MB}", "memory.max": f"{80 * MB}", "memory.current": f"{30 * MB}"}}, 30 * MB),
        (
            {
                "a/b": {
                    "memory.max": f"{80 * MB}",
                    "memory.current": f"{70 * MB}",
                    "memory.stat": f"anon {5 * MB}\ninactive_file {20 * MB}\nactive_file {9 * MB}",
                }
            },
            30 * MB,
        ),
        ({"a/b": {"memory.max": f"{80 * MB}", "memory.current": f"{90 * MB}"}}, 0),
        ({".": {"memory.max": f"{80 * MB}", "memory.current": f"{30 * MB}"}}, 50 * MB),
    ],
    ids=["own", "of the one above", "throttled sooner", "cached files are given back", "overdrawn", "of a container"],
)
def test_a_cgroup_of_version_2_bounds_memory(
    tmp_path: Path, groups: Mapping[str, Mapping[str, str]], expected: int
) -> None:
    """Its limit less what is used, on each level; a container sees its own at the root, under a path it cannot see."""
    tree(tmp_path / "cgroup", groups)
    assert left(tmp_path, "1:name=systemd:/x\n0::/a/b\n") == expected


def test_a_cgroup_of_version_1_bounds_memory(tmp_path: Path) -> None:
    """It lies in the folder of its controller, and writes no limit as a huge one."""
    used = {"memory.usage_in_bytes": f"{30 * MB}", "memory.stat": f"total_inactive_file {10 * MB}"}
    groups = {
        "memory/a/b": {"memory.limit_in_bytes": f"{80 * MB}", **used},
        "memory/a": {"memory.limit_in_bytes": f"{2**63 - 4096}", **used},
    }
    tree(tmp_path / "cgroup", groups)
    assert left(tmp_path, "4:memory:/a/b\n0::/\n") == 60 * MB


@pytest.mark.parametrize("membership", ["", "garbage", "0::/../..", "0::/a"])
def test_without_a_limit_it_is_what_the_machine_has(tmp_path: Path, membership: str) -> None:
    """So it is where the kernel tells nothing of use."""
    tree(tmp_path / "cgroup", {"a": {"memory.max": "max", "memory.current": "no number"}})
    available = psutil.virtual_memory().available
    assert left(tmp_path, membership) == pytest.approx(available, rel=0.2)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of other systems are not read")
def test_a_limit_of_the_address_space_bounds_what_is_planned_with() -> None:
    """A real one: batches on the CPU are planned with what it leaves."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    used = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (used + 256 * MB, before[1]))
    try:
        free = free_bytes("cpu")
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    assert 128 * MB < free <= 256 * MB
