"""The right to hold models on one device: one process at a time, and those who wait get it in turn."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

POLL = 0.5
"""Seconds that a look at the slot takes while another process has it."""


class Tenant(Protocol):
    """Who may hold models while it has the slot."""

    def free(self) -> None:
        """Let go of all models."""


class Slot:
    """A lock file for the device, and one for the place at the head of those who wait for it.

    Both locks end with the process that holds them, however it ends.
    """

    def __init__(self, path: Path) -> None:
        """Use `path`, and a file beside it; nothing is held yet."""
        self._lock = FileLock(str(path), thread_local=False)
        self._head = FileLock(str(path.with_suffix(".next")), thread_local=False)
        self._tenant: Tenant | None = None
        self._looked = 0.0
        self.one_at_a_time = threading.RLock()
        """Held by the thread that asks: two comparisons of one process may ask the same loaded model."""

    def take(self, tenant: Tenant) -> bool:
        """Whether `tenant` has the slot now; within this process it takes over from whoever had it before."""
        if self._lock.is_locked or self._acquired():
            if self._tenant is not None and self._tenant is not tenant:
                self._tenant.free()
            self._tenant = tenant
            return True
        return False

    def stop_waiting(self) -> None:
        """Leave the queue: what was wanted is there, or nobody wants it any more."""
        self._head.release(force=True)

    def give_way(self, tenant: Tenant) -> None:
        """Let a process that waits have the slot, if there is one; looks no more often than twice a second."""
        now = time.monotonic()
        if self._tenant is tenant and now - self._looked >= POLL:
            self._looked = now
            if self._is_wanted():
                self.leave(tenant)

    def leave(self, tenant: Tenant) -> None:
        """End the tenancy of `tenant`, whose models are let go, if it has the slot."""
        if self._tenant is tenant:
            tenant.free()
            self._tenant = None
            self._lock.release(force=True)

    def _acquired(self) -> bool:
        """Wait for a while: first for the head of the queue, then for the slot, keeping the head meanwhile."""
        try:
            if not self._head.is_locked:
                self._head.acquire(timeout=POLL)
            self._lock.acquire(timeout=POLL)
        except Timeout:
            return False
        self._head.release(force=True)
        self._looked = time.monotonic()
        return True

    def _is_wanted(self) -> bool:
        try:
            self._head.acquire(timeout=0)
        except Timeout:
            return True
        self._head.release(force=True)
        return False


_SLOTS: dict[Path, Slot] = {}


def slot_at(path: Path) -> Slot:
    """The slot of this process at `path`: two tenants of one process never wait for each other."""
    return _SLOTS.setdefault(path, Slot(path))
