"""Work that several processes do at the same time, each on a device of its own, and none of it twice."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from pytest_forgetting.answers.planning import LEAST_SHARE, share_of
from pytest_forgetting.answers.requests import Request

Key = Callable[[Request], bytes]


class Share(NamedTuple):
    """What this process does now."""

    requests: list[Request]
    left: int
    """How many requests nobody does yet."""


class Division:
    """Claims on requests: a file of each process, in one folder, with a lock that ends with the process."""

    def __init__(self, folder: Path, parts: int) -> None:
        """Share out work among processes that use `folder`.

        Args:
            folder: of the claims, made where it is missing.
            parts: how many may work at the same time.
        """
        folder.mkdir(mode=0o700, exist_ok=True)
        self._folder = folder
        self._parts = parts
        self._all = FileLock(str(folder / "claims.lock"), thread_local=False)
        self._mine = folder / f"{uuid.uuid4().hex}.json"
        self._alive = FileLock(str(self._mine.with_suffix(".alive")), thread_local=False)

    def shares(self, missing: Callable[[], Sequence[Request]], key: Key) -> Iterator[Share]:
        """One share after the other, until all that is missing is claimed by others.

        A share is claimed until the next one is asked for, or the iterator is closed.

        Args:
            missing: gives the requests that have no answer yet.
            key: what a request is known by in all processes.
        """
        with contextlib.closing(self):
            while (share := self._claim(missing, key)).requests:
                yield share

    def close(self) -> None:
        """Give back what was claimed."""
        _clear(self._mine)
        self._alive.release(force=True)
        _clear(Path(self._alive.lock_file))

    def _claim(self, missing: Callable[[], Sequence[Request]], key: Key) -> Share:
        with self._all:
            _clear(self._mine)
            claimed = self._claimed()  # first: what is answered after this is claimed still
            free = [request for request in missing() if key(request).hex() not in claimed]
            mine = share_of(free, self._parts, LEAST_SHARE)
            if mine:
                self._note([key(request).hex() for request in mine])
            return Share(mine, len(free) - len(mine))

    def _note(self, keys: list[str]) -> None:
        if not self._alive.is_locked:
            self._alive.acquire(timeout=0)
        with contextlib.suppress(OSError):  # a full disk: others may do the same work, which costs only time
            self._mine.write_text(json.dumps(keys), encoding="ascii")

    def _claimed(self) -> set[str]:
        """What others have claimed; the claims of processes that have ended are void, and cleared away."""
        claimed: set[str] = set()
        for path in self._folder.glob("*.json"):
            if _is_alive(path.with_suffix(".alive")):
                with contextlib.suppress(OSError, ValueError):
                    claimed.update(json.loads(path.read_text(encoding="ascii")))
            else:
                _clear(path)
        return claimed


def _is_alive(lock: Path) -> bool:
    """Whether the process that has made `lock` still runs; the file goes with it."""
    try:
        with FileLock(str(lock), timeout=0, thread_local=False):
            _clear(lock)
            return False
    except Timeout:
        return True


def _clear(path: Path) -> None:
    """Remove a file that means nothing any more; Windows keeps one that somebody is just looking at."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
