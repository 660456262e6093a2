"""The right to hold models on a device: one process at a time, and those who wait get it in turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from pytest_forgetting.models.devices import Device, Places

POLL = 0.5
"""Seconds that a look at the slots takes while other processes have them."""
LOOK_EVERY = 0.05
"""Seconds between two tries within it."""

ONE_AT_A_TIME = threading.RLock()
"""Held by the thread that asks: two comparisons of one process may ask the same loaded model."""


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

    @property
    def held(self) -> bool:
        """Whether this process has the slot."""
        return self._lock.is_locked

    @property
    def at_head(self) -> bool:
        """Whether this process is the next to have it."""
        return self._head.is_locked

    def seize(self, tenant: Tenant) -> bool:
        """Whether `tenant` has the slot now; within this process it takes over from whoever had it before.

        Where another process has it, this one waits at the head of the queue from now on, if nobody else does.
        """
        if not (self._lock.is_locked or self._acquired()):
            return False
        if self._tenant is not None and self._tenant is not tenant:
            self._tenant.free()
        self._tenant = tenant
        return True

    def stop_waiting(self) -> None:
        """Leave the queue: what was wanted is there, or nobody wants it any more."""
        self._head.release(force=True)

    def give_way(self, tenant: Tenant) -> bool:
        """Whether `tenant` has it and another process waits for it; looks no more often than twice a second."""
        now = time.monotonic()
        if self._tenant is not tenant or now - self._looked < POLL:
            return False
        self._looked = now
        return self._is_wanted()

    def leave(self, tenant: Tenant) -> None:
        """End the tenancy of `tenant`, whose models are let go, if it has the slot."""
        if self._tenant is tenant:
            tenant.free()
            self._tenant = None
            self._lock.release(force=True)

    def _acquired(self) -> bool:
        """Take it by way of the head of the queue: whoever has just left the slot stands behind those who wait."""
        try:
            if not self._head.is_locked:
                self._head.acquire(timeout=0)
            self._lock.acquire(timeout=0)
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


class Slots:
    """The right to hold models on one of several devices, whichever is free, or on all of them together."""

    def __init__(self, folder: Path, find: Callable[[], Places]) -> None:
        """Prepare; nothing is looked for before a slot is wanted.

        Args:
            folder: of the lock files.
            find: tells which devices there are to choose from.
        """
        self._folder = folder
        self._find = find

    @cached_property
    def places(self) -> Places:
        """The devices to choose from."""
        return self._find()

    def take(self, tenant: Tenant) -> Sequence[Device]:
        """The devices that `tenant` holds now; none where others have them, which is found out in half a second.

        Within this process a tenant takes over from whoever had the slot before.

        Raises:
            WrongUsage: there is no such device.
            CannotAnswer: all devices together are too small.
        """
        deadline = time.monotonic() + POLL
        while True:
            held = self._seized(tenant)
            if held or time.monotonic() >= deadline:
                return held
            time.sleep(LOOK_EVERY)

    def stop_waiting(self, tenant: Tenant) -> None:
        """Leave the queues: what was wanted is there, or nobody wants it any more."""
        if "places" in self.__dict__:
            self._leave_queues()
            if self.places.together and not all(slot.held for slot in self._slots.values()):
                self.leave(tenant)

    def give_way(self, tenant: Tenant) -> None:
        """Let a process that waits have what `tenant` holds, if there is one."""
        if "places" in self.__dict__ and any(slot.give_way(tenant) for slot in self._slots.values()):
            self.leave(tenant)

    def leave(self, tenant: Tenant) -> None:
        """End the tenancy of `tenant`, whose models are let go."""
        if "places" in self.__dict__:
            for slot in self._slots.values():
                slot.leave(tenant)

    @cached_property
    def _slots(self) -> dict[Device, Slot]:
        return {device: slot_at(self._folder / f"{device.name}.lock") for device in self.places.devices}

    def _seized(self, tenant: Tenant) -> Sequence[Device]:
        if self.places.together:
            # In one order for all, and what is held is kept: two such processes never wait for each other.
            return self.places.devices if all(slot.seize(tenant) for slot in self._slots.values()) else ()
        for device in sorted(self._slots, key=lambda device: not self._slots[device].held):
            if self._slots[device].seize(tenant):
                self._leave_queues()
                return (device,)
            self._wait_at_one()
        return ()

    def _leave_queues(self) -> None:
        for slot in self._slots.values():
            slot.stop_waiting()

    def _wait_at_one(self) -> None:
        """Stand at the head of no more than one queue: others wait for the other devices."""
        heads = [slot for slot in self._slots.values() if slot.at_head]
        for slot in heads[1:]:
            slot.stop_waiting()


_SLOTS: dict[Path, Slot] = {}


def slot_at(path: Path) -> Slot:
    """The slot of this process at `path`: two tenants of one process never wait for each other."""
    return _SLOTS.setdefault(path, Slot(path))
