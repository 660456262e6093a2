"""Answers already given, in one SQLite file that workers and later runs share.

The store is a cache: whatever goes wrong with it costs time, never an answer and never a verdict.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from pytest_forgetting.answers.store_rows import answer_in, checksum, to_text, unchanged
from pytest_forgetting.cache import make_private, why_shared

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pytest_forgetting.answers.answer import Answer

STORE_VERSION = 2
SIZE_LIMIT = 1 << 30
"""Bytes; a larger store loses its least recently used answers when it is opened."""
KEPT_ASIDE = 2
"""Stores that could not be read, for whoever wants to know why: each may be as large as the limit."""
LOOKUP_CHUNK = 500
"""Keys asked for in one statement; SQLite takes at least 999 variables."""
DAY = 86_400
PATIENCE = 60.0
"""Seconds that a store locked by somebody else is waited for, once; then it is done without."""
_IN_THE_WAY = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
    }
)
"""Errors of the disk, or of somebody who has the store locked: the store itself is as good as it was."""

_SCHEMA = f"""
pragma journal_mode = wal;
pragma user_version = {STORE_VERSION};
create table if not exists answers
    (key blob primary key, answer text not null, used integer not null, sum blob not null) without rowid;
create table if not exists facts (name text primary key, value text not null, sum blob not null) without rowid;
"""


@dataclass
class Refused:
    """What could not be saved, as plain values that travel between processes."""

    answers: dict[str, str] = field(default_factory=dict)
    """Rows by the hex of their keys."""
    facts: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Store:
    """Answers by key, and a few facts about models by name, in `folder`/answers.sqlite."""

    def __init__(self, folder: Path, size_limit: int = SIZE_LIMIT) -> None:
        """Open the store, making or rebuilding it where needed.

        Args:
            folder: made private to the user where it does not exist.
            size_limit: bytes above which old answers are dropped.
        """
        make_private(folder)
        self.folder = folder
        self.path = folder / "answers.sqlite"
        self.notes: list[str] = []
        if (shared := why_shared(folder)) is not None:
            self._note(f"the answer store {folder} can be changed by others, whose answers are believed: {shared}")
        self._unsaved: dict[bytes, Answer] = {}
        self._refused = Refused()
        # Switching to WAL ignores the busy timeout: two first openers would fail without this lock.
        try:
            with FileLock(str(folder / "open.lock"), timeout=PATIENCE):
                self._database = self._open_or_rebuild()
                self._shrink(size_limit)
        except (sqlite3.Error, OSError) as error:  # filelock's Timeout is an OSError too
            self._do_without(error)

    def recall(self, keys: Sequence[bytes]) -> dict[bytes, Answer]:
        """Those of `keys` that have an answer, with it."""
        found = {key: self._unsaved[key] for key in keys if key in self._unsaved}
        with self._mending():
            for start in range(0, len(keys), LOOKUP_CHUNK):
                found.update(self._lookup(keys[start : start + LOOKUP_CHUNK]))
        return found

    def keep(self, answers: Mapping[bytes, Answer]) -> None:
        """Save `answers` at once; where the disk refuses, hold them in memory to the end of the run."""
        now = int(time.time())
        texts = {key: to_text(answer) for key, answer in answers.items()}
        rows = [(key, text, now, checksum(key, text)) for key, text in texts.items()]
        try:
            with self._database:
                self._database.executemany("insert or replace into answers values (?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            self._unsaved.update(answers)
            self._refused.answers.update((key.hex(), text) for key, text in texts.items())
            self._wait_no_more()
            self._note(f"answers could not be saved in {self.path} ({error}); they are kept for this run only")

    def lend(self, answers: Mapping[bytes, Answer]) -> None:
        """Know `answers` to the end of the run, unless the file knows better; nothing is saved."""
        self._unsaved.update(answers)

    def remember(self, name: str, value: str) -> None:
        """Save a fact about a model, such as whether its adapter has any effect; else know it to the end of the run."""
        try:
            with self._database:
                self._database.execute(
                    "insert or replace into facts values (?, ?, ?)", (name, value, checksum(name.encode(), value))
                )
        except sqlite3.Error:
            self._refused.facts[name] = value

    def fact(self, name: str) -> str | None:
        """A fact saved by `remember`, else None."""
        if name in self._refused.facts:
            return self._refused.facts[name]
        with self._mending():
            row = self._database.execute("select value, sum from facts where name = ?", (name,)).fetchone()
            return None if row is None else unchanged(name.encode(), *row)
        return None

    @property
    def refused(self) -> Refused:
        """What the disk has not taken in this run, and why."""
        return Refused(self._refused.answers, self._refused.facts, self.notes)

    def take_over(self, refused: Refused) -> None:
        """Know to the end of the run what another process could not save."""
        self._unsaved.update((bytes.fromhex(key), answer_in(text)) for key, text in refused.answers.items())
        self._refused.facts.update(refused.facts)
        for note in refused.notes:
            self._note(note)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _lookup(self, keys: Sequence[bytes]) -> dict[bytes, Answer]:
        marks = ",".join("?" * len(keys))
        rows = self._database.execute(
            f"select key, answer, used, sum from answers where key in ({marks})", keys
        ).fetchall()
        found = {key: answer_in(unchanged(key, text, told)) for key, text, _, told in rows}
        self._touch([key for key, _, used, _ in rows if not isinstance(used, int) or used < time.time() - DAY])
        return found

    def _touch(self, keys: Iterable[bytes]) -> None:
        """Mark answers as used today; at most once a day, so that reading seldom writes."""
        rows = [(int(time.time()), key) for key in keys]
        if rows:
            with contextlib.suppress(sqlite3.OperationalError), self._database:
                self._database.executemany("update answers set used = ? where key = ?", rows)

    def _open_or_rebuild(self) -> sqlite3.Connection:
        try:
            return self._open()
        except sqlite3.DatabaseError as error:
            if _is_in_the_way(error):
                raise
            self._set_aside(error)
            return self._open()

    def _open(self) -> sqlite3.Connection:
        for suffix in ("", "-wal", "-shm"):
            if Path(f"{self.path}{suffix}").is_symlink():
                raise sqlite3.DatabaseError("it is a link")
        self.path.touch(mode=0o600)
        database = sqlite3.connect(self.path, timeout=PATIENCE, check_same_thread=False)
        try:
            version = database.execute("pragma user_version").fetchone()[0]
            if version not in (0, STORE_VERSION):
                raise sqlite3.DatabaseError(f"it is of version {version}, this program writes version {STORE_VERSION}")
            database.executescript(_SCHEMA)
            database.execute("pragma synchronous = normal")
        except BaseException:
            database.close()  # Windows does not set aside a file that is open
            raise
        self._file = self._which_file()
        return database

    def _which_file(self) -> tuple[int, int] | None:
        """Device and inode of the file that bears the store's name now."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _do_without(self, error: Exception) -> None:
        """Keep answers in memory: the file cannot be used, and is left as it is."""
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._database.executescript(_SCHEMA)
        self._file = None
        self._note(f"the answer store {self.path} cannot be used ({error}); answers are kept for this run only")

    def _wait_no_more(self) -> None:
        """Whoever has locked the store was waited for once; not once more for every batch."""
        with contextlib.suppress(sqlite3.Error):
            self._database.execute("pragma busy_timeout = 0")

    def _set_aside(self, error: sqlite3.DatabaseError) -> None:
        aside = self.path.with_suffix(f".set-aside-{time.time_ns()}")
        # The log first: a new file beside an old log would be given what the log holds.
        for suffix in ("-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self.path.rename(aside)
        removed = self._keep_few_aside()
        older = f"; {removed} set aside earlier {'was' if removed == 1 else 'were'} removed" if removed else ""
        self._note(
            f"the answer store could not be read ({error}); it was set aside as {aside.name} and begun anew{older}"
        )

    def _keep_few_aside(self) -> int:
        """Remove all but the latest of the stores that were set aside; how many were removed."""
        aside = sorted(self.folder.glob(f"{self.path.stem}.set-aside-*"), key=lambda path: (len(path.name), path.name))
        removed = 0
        for path in aside[:-KEPT_ASIDE]:
            with contextlib.suppress(OSError):
                path.unlink()
                removed += 1
        return removed

    @contextlib.contextmanager
    def _mending(self) -> Iterator[None]:
        """Answers that cannot be read are answers that must be asked again, not an error."""
        try:
            yield
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            if _is_in_the_way(error):
                self._note(f"answers could not be read from {self.path} ({error})")
                self._wait_no_more()
                return
            try:
                self._rebuild(error)
            except (sqlite3.Error, OSError) as fault:
                self._do_without(fault)

    def _rebuild(self, error: Exception) -> None:
        """Set the file aside, unless another process has done it meanwhile, and use the new one."""
        with FileLock(str(self.folder / "open.lock"), timeout=PATIENCE):
            self._database.close()
            if self._file is not None and self._file == self._which_file():
                self._set_aside(sqlite3.DatabaseError(str(error)))
            self._database = self._open_or_rebuild()

    def _shrink(self, size_limit: int) -> None:
        if self.path.stat().st_size <= size_limit:
            return
        with self._database:
            self._database.execute(
                # By keys and not by age: many were used in one second, and would all go.
                "delete from answers where key in (select key from answers order by used"
                " limit (select (count(*) + 1) / 2 from answers))"
            )
        self._database.execute("vacuum")

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


def _is_in_the_way(error: Exception) -> bool:
    """Whether the disk or another process keeps from using a store that may be sound."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _IN_THE_WAY
