"""What makes two checkpoints the same: hashes of their files, remembered for as long as a file stays as it is."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from pytest_forgetting.cache import cache_folder, make_private, on_local_disk
from pytest_forgetting.errors import CannotAnswer

SETTLED_NS = 2_000_000_000
"""Younger files are not remembered: two writes within one tick of the file system's clock leave the same times."""
MOST_REMEMBERED = 10_000
"""Files; the oldest entries go first."""
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SCHEMA = "create table if not exists hashes (path text primary key, stamp text not null, sha256 text not null)"


class HashMemo:
    """SHA-256 sums of files, each good for one state of its file. Only a cache: without it hashing is slower."""

    def __init__(self, folder: Path | None = None) -> None:
        """Use `folder`/hashes.sqlite; by default in the user's cache, off network file systems."""
        self._path = (folder or on_local_disk(cache_folder(), "hashes")) / "hashes.sqlite"

    def recall(self, path: Path, stamp: str) -> str | None:
        """The sum of `path` as it was when it bore `stamp`."""
        query = "select sha256 from hashes where path = ? and stamp = ?"
        row = self._ask(lambda database: database.execute(query, (str(path), stamp)).fetchone())
        return None if row is None else str(row[0])

    def keep(self, path: Path, stamp: str, sha256: str) -> None:
        """Remember the sum of `path` in the state `stamp`."""

        def insert(database: sqlite3.Connection) -> None:
            database.execute("insert or replace into hashes values (?, ?, ?)", (str(path), stamp, sha256))
            oldest = "delete from hashes where rowid <= (select max(rowid) from hashes) - ?"
            database.execute(oldest, (MOST_REMEMBERED,))

        self._ask(insert)

    def _ask(self, question: Callable[[sqlite3.Connection], Any]) -> Any:
        """The answer to `question`, or None, whatever SQLite finds wrong with the file."""
        try:
            make_private(self._path.parent)
            self._path.touch(mode=0o600)
            with closing(sqlite3.connect(self._path, timeout=5)) as database, database:
                database.execute(_SCHEMA)
                return question(database)
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) in _CORRUPT:
                with suppress(OSError):  # Windows keeps a file that another process has open
                    self._path.unlink(missing_ok=True)
        except OSError:
            pass  # a cache that cannot be made is no cache
        return None


def file_digest(path: Path, memo: HashMemo) -> str:
    """SHA-256 of `path` in hex, from the name of its Hub blob, from `memo`, or from its bytes.

    Raises:
        CannotAnswer: the file cannot be read, or is written to meanwhile.
    """
    blob = _hub_blob(path)
    if blob is not None:
        return blob
    try:
        return _hashed(path.absolute(), memo)
    except OSError as error:
        raise CannotAnswer(f"{path} cannot be read: {error.strerror or error}") from error


def combined(parts: Iterable[tuple[str, str]]) -> str:
    """One SHA-256 over named digests, whatever their order."""
    return hashlib.sha256(json.dumps(sorted(parts)).encode()).hexdigest()


def files_digest(paths: Iterable[Path], memo: HashMemo) -> str:
    """One digest over the names and contents of `paths`, not over where they lie."""
    ordered = sorted(paths)
    with ThreadPoolExecutor(max_workers=4) as pool:  # hashlib lets go of the interpreter's lock
        digests = pool.map(lambda path: file_digest(path, memo), ordered)
        return combined(zip((path.name for path in ordered), digests, strict=True))


def states(folders: Iterable[Path]) -> dict[Path, str]:
    """What tells by itself that a file in one of `folders` was written to, for each of their files."""
    found: dict[Path, str] = {}
    for path in (path for folder in folders for path in folder.glob("*")):
        with suppress(OSError):
            found[path] = _stamp(path.stat())
    return found


def value_digest(value: Any) -> str:
    """SHA-256 over a JSON value, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _hub_blob(path: Path) -> str | None:
    """The Hub's cache links to blobs that are named by their SHA-256 (large files; small ones bear git's SHA-1)."""
    if not path.is_symlink():
        return None
    from huggingface_hub import constants

    blob = path.resolve()
    named = blob.parent.name == "blobs" and re.fullmatch("[0-9a-f]{64}", blob.name)
    # Anywhere else a checkpoint could bear the name of another one, and be taken for it.
    return blob.name if named and blob.is_relative_to(Path(constants.HF_HUB_CACHE).resolve()) else None


def _hashed(path: Path, memo: HashMemo) -> str:
    started, before = time.time_ns(), path.stat()
    stamp = _stamp(before)
    known = memo.recall(path, stamp)
    if known is not None:
        return known
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if _stamp(path.stat()) != stamp:
        raise CannotAnswer(f"{path} was written to while it was read; wait until it is complete")
    if started - max(before.st_ctime_ns, before.st_mtime_ns) > SETTLED_NS:
        memo.keep(path, stamp, sha256)
    return sha256


def _stamp(status: os.stat_result) -> str:
    """Changes with every write, even where the size and the time of modification are restored."""
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}:{status.st_dev}:{status.st_ino}"
