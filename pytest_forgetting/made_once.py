"""Folders that take long to make: each is made once, one at a time, and never bears its name half-made."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pytest_forgetting.cache import cache_folder, make_private, on_local_disk
from pytest_forgetting.errors import CannotAnswer

TURN = "training.lock"
"""Held by whoever is making something."""


def made_once(folder: Path, what: str, complete: Callable[[Path], bool], make: Callable[[Path], None]) -> Path:
    """`folder`, filled by `make` unless it is `complete` already.

    Other processes that want it wait for the first; those that want another one take their turn, as two trainings on
    one machine would only hinder each other. So `make` must not ask for a folder in turn.

    Args:
        folder: the final name; made beside it and renamed at the end.
        what: is made, for messages.
        complete: whether a folder holds all that it should.
        make: fills the folder that it is given, which does not exist yet.

    Raises:
        CannotAnswer: the disk does not take it.
    """
    if not complete(folder):
        with _alone(folder, what):
            if not complete(folder):
                with FileLock(folder.with_name(TURN)):
                    _make(folder, what, make)
    return folder


def cache_subfolder(name: str, what: str) -> Path:
    """The folder `name` in the user's cache, for such folders; on a local disk.

    Raises:
        CannotAnswer: it cannot be made.
    """
    folder = on_local_disk(cache_folder() / name, name)
    try:
        make_private(folder)
    except OSError as fault:
        raise CannotAnswer(f"{what} cannot be kept in {folder}: {fault.strerror}") from fault
    return folder


@contextmanager
def _alone(folder: Path, what: str) -> Iterator[None]:
    lock = FileLock(folder.with_name(f"{folder.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"waiting for another process that trains {what}", file=sys.stderr, flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _make(folder: Path, what: str, make: Callable[[Path], None]) -> None:
    try:
        with written_whole(folder.with_name(f"{folder.name}.unfinished"), folder, replacing=True) as unfinished:
            make(unfinished)
    except OSError as fault:
        raise CannotAnswer(f"{what} cannot be written to {folder.parent}: {fault.strerror or fault}") from fault


@contextmanager
def written_whole(unfinished: Path, folder: Path, *, replacing: bool = False) -> Iterator[Path]:
    """`unfinished`, to be made and filled within the block; it becomes `folder` once that has ended well.

    Args:
        unfinished: beside `folder`; what lies there is of a run that was killed.
        folder: its final name.
        replacing: what stands there is not whole and makes room; else it must be empty.
    """
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        yield unfinished
        if replacing:
            shutil.rmtree(folder, ignore_errors=True)
        elif folder.exists():
            folder.rmdir()
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
