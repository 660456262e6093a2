"""Memory of the machine that this process may still take: what is free, less what a cgroup or its own limits refuse."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psutil

CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
"""Says which cgroup this process is in: a line ``0::/path`` of version 2, one ``4:memory:/path`` of version 1."""
_LIMITS = ("memory.max", "memory.high", "memory.limit_in_bytes")
_USES = ("memory.current", "memory.usage_in_bytes")
_OWN_LIMITS = (("RLIMIT_AS", "vms"), ("RLIMIT_DATA", "data"))
"""Limits as `ulimit` sets them, each with what psutil calls that which it bounds."""


def free_memory(cgroups: Path = CGROUPS, membership: Path = MEMBERSHIP) -> int:
    """Bytes: the least of what the machine, each cgroup above this process, and its own limits leave.

    Args:
        cgroups: where the kernel shows cgroups.
        membership: a file in which it says which of them this process is in.
    """
    return max(0, min([psutil.virtual_memory().available, *_left_by_cgroups(cgroups, membership), *_left_by_limits()]))


def _left_by_cgroups(cgroups: Path, membership: Path) -> Iterator[int]:
    with contextlib.suppress(OSError, ValueError):  # another system, or another form
        for line in membership.read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers in ("", "memory"):
                root = cgroups / controllers
                yield from _left_above(root, root / path.strip("/"))


def _left_above(root: Path, group: Path) -> Iterator[int]:
    """What `group` and those above it leave; a container may see its own as the root, under a path of the machine's."""
    known = group if group.is_dir() and ".." not in group.parts else root
    for each in (known, *known.parents):
        yield from _left_in(each)
        if each == root:
            return


def _left_in(group: Path) -> Iterator[int]:
    limits = [int(text) for text in map(_read, (group / name for name in _LIMITS)) if text.isdecimal()]
    uses = [int(text) for text in map(_read, (group / name for name in _USES)) if text.isdecimal()]
    if limits and uses:
        yield min(limits) - uses[0] + _cached(group)


def _cached(group: Path) -> int:
    """Bytes of files that the kernel lets go of before it refuses anything: weights were read through them."""
    told = dict(line.split(" ", 1) for line in _read(group / "memory.stat").splitlines() if " " in line)
    cached = told.get("total_inactive_file", told.get("inactive_file", "0"))
    return int(cached) if cached.isdecimal() else 0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def _left_by_limits() -> Iterator[int]:
    process = psutil.Process()
    for name, used in _OWN_LIMITS:
        number = getattr(psutil, name, None)  # where psutil knows of limits, as on Linux
        if number is None:
            continue
        limit: int = process.rlimit(number)[0]
        if limit not in (-1, psutil.RLIM_INFINITY):
            yield limit - getattr(process.memory_info(), used)
