"""A folder that goes with the run, however the run ends."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from pytest_forgetting.session.termination import before_termination

PREFIX = "pytest-forgetting-run-"
_HELD: dict[Path, tuple[FileLock, int]] = {}
"""Folders with the locks that say that their run is alive, and the process of each."""


def temporary_folder(add_cleanup: Callable[[Callable[[], None]], object]) -> Path:
    """A new folder of this user's, on the local disk.

    It is removed by what `add_cleanup` is given, or where SIGTERM ends the process; what ``kill -9`` leaves behind is
    removed by the next run.
    """
    parent = Path(tempfile.gettempdir())
    _sweep(parent)
    folder = parent / f"{PREFIX}{secrets.token_hex(8)}"
    alive = FileLock(_lock_of(folder), thread_local=False)
    alive.acquire(timeout=0)  # first: a folder without a lock is one that nobody uses any more
    folder.mkdir(mode=0o700)
    _HELD[folder] = alive, os.getpid()
    add_cleanup(partial(_remove, folder))
    add_cleanup(before_termination(partial(_remove, folder)))
    return folder


def _lock_of(folder: Path) -> Path:
    return folder.with_suffix(".lock")


def _sweep(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, Timeout):  # Timeout: its run is alive
            ours = not hasattr(os, "getuid") or folder.lstat().st_uid == os.getuid()
            own = ours and folder.is_dir() and not folder.is_symlink()
            if own and folder not in _HELD:
                with FileLock(_lock_of(folder), timeout=0, thread_local=False):
                    shutil.rmtree(folder, ignore_errors=True)
                _lock_of(folder).unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    """Remove `folder`, in the process that has made it and no fork of it."""
    alive, process = _HELD.get(folder, (None, None))
    if alive is None or process != os.getpid():
        return
    shutil.rmtree(folder, ignore_errors=True)
    alive.release(force=True)
    _lock_of(folder).unlink(missing_ok=True)
    del _HELD[folder]
