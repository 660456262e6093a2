"""Answers already given, in one SQLite file that workers and later runs share.

The store is a cache: whatever goes wrong with it costs time, never an answer and never a verdict.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from filelock import FileLock

from pytest_forgetting.answers.answer import Answer, Finish
from pytest_forgetting.cache import make_private, why_shared

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

STORE_VERSION = 1
SIZE_LIMIT = 1 << 30
"""Bytes; a larger store loses its least recently used answers when it is opened."""
LOOKUP_CHUNK = 500
"""Keys asked for in one statement; SQLite takes at least 999 variables."""
DAY = 86_400

_SCHEMA = f"""
pragma journal_mode = wal;
pragma user_version = {STORE_VERSION};
create table if not exists answers (key blob primary key, answer text not null, used integer not null) without rowid;
create table if not exists facts (name text primary key, value text not null) without rowid;
"""


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
        # Switching to WAL ignores the busy timeout: two first openers would fail without this lock.
        with FileLock(str(folder / "open.lock")):
            self._database = self._open_or_rebuild()
            self._shrink(size_limit)

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
        rows = [(key, _to_json(answer), now) for key, answer in answers.items()]
        try:
            with self._database:
                self._database.executemany("insert or replace into answers values (?, ?, ?)", rows)
        except sqlite3.Error as error:
            self._unsaved.update(answers)
            self._note(f"answers could not be saved in {self.path} ({error}); they are kept for this run only")

    def lend(self, answers: Mapping[bytes, Answer]) -> None:
        """Know `answers` to the end of the run, unless the file knows better; nothing is saved."""
        self._unsaved.update(answers)

    def remember(self, name: str, value: str) -> None:
        """Save a fact about a model, such as whether its adapter has any effect."""
        with contextlib.suppress(sqlite3.Error), self._database:
            self._database.execute("insert or replace into facts values (?, ?)", (name, value))

    def fact(self, name: str) -> str | None:
        """A fact saved by `remember`, else None."""
        with self._mending():
            row = self._database.execute("select value from facts where name = ?", (name,)).fetchone()
            return None if row is None else str(row[0])
        return None

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _lookup(self, keys: Sequence[bytes]) -> dict[bytes, Answer]:
        marks = ",".join("?" * len(keys))
        rows = self._database.execute(f"select key, answer, used from answers where key in ({marks})", keys).fetchall()
        self._touch([key for key, _, used in rows if not isinstance(used, int) or used < time.time() - DAY])
        return {key: _from_json(text) for key, text, _ in rows}

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
            self._set_aside(error)
            return self._open()

    def _open(self) -> sqlite3.Connection:
        for suffix in ("", "-wal", "-shm"):
            if Path(f"{self.path}{suffix}").is_symlink():
                raise sqlite3.DatabaseError("it is a link")
        self.path.touch(mode=0o600)
        database = sqlite3.connect(self.path, timeout=60, check_same_thread=False)
        try:
            version = database.execute("pragma user_version").fetchone()[0]
            if version not in (0, STORE_VERSION):
                raise sqlite3.DatabaseError(f"it is of version {version}, this program writes version {STORE_VERSION}")
            database.executescript(_SCHEMA)
            database.execute("pragma synchronous = normal")
        except sqlite3.Error:
            database.close()  # Windows does not set aside a file that is open
            raise
        return database

    def _set_aside(self, error: sqlite3.DatabaseError) -> None:
        aside = self.path.with_suffix(f".set-aside-{time.time_ns()}")
        with contextlib.suppress(FileNotFoundError):
            self.path.rename(aside)
        for suffix in ("-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        self._note(f"the answer store could not be read ({error}); it was set aside as {aside.name} and begun anew")

    @contextlib.contextmanager
    def _mending(self) -> Iterator[None]:
        """Answers that cannot be read are answers that must be asked again, not an error."""
        try:
            yield
        except (sqlite3.DatabaseError, ValueError) as error:
            with FileLock(str(self.folder / "open.lock")):
                self._database.close()
                self._set_aside(sqlite3.DatabaseError(str(error)))
                self._database = self._open()

    def _shrink(self, size_limit: int) -> None:
        if self.path.stat().st_size <= size_limit:
            return
        with self._database:
            self._database.execute(
                "delete from answers where used <= (select used from answers order by used"
                " limit 1 offset (select (count(*) - 1) / 2 from answers))"
            )
        self._database.execute("vacuum")

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


class Stores:
    """Where answers are kept: to be found again by later runs, or to the end of this one."""

    def __init__(self, lasting: Store, passing: Path) -> None:
        """Open the one in the folder `passing` when it is needed."""
        self.lasting = lasting
        self._folder = passing
        self._passing: Store | None = None

    @property
    def passing(self) -> Store:
        """The one that goes with this run."""
        if self._folder == self.lasting.folder:
            return self.lasting
        self._passing = self._passing or Store(self._folder)
        return self._passing

    @property
    def notes(self) -> list[str]:
        """What went wrong with them."""
        return [*self.lasting.notes, *([] if self._passing is None else self._passing.notes)]

    def close(self) -> None:
        """Let go of the files."""
        self.lasting.close()
        if self._passing is not None:
            self._passing.close()


def _to_json(answer: Answer) -> str:
    # ASCII on purpose: a lone surrogate in a model's output is no valid UTF-8, but a valid escape.
    row = [answer.text, answer.finish, answer.tokens, answer.reason, answer.loglikelihoods, answer.gap]
    return json.dumps(row, separators=(",", ":"))


def _from_json(text: str) -> Answer:
    """The answer in a row.

    Raises:
        ValueError: the row is damaged.
    """
    row = json.loads(text) if isinstance(text, str) else None
    if not isinstance(row, list) or not 4 <= len(row) <= len(_KINDS):
        raise ValueError("a row holds no answer")
    if not all(map(isinstance, row, _KINDS)) or row[1] not in get_args(Finish):
        raise ValueError("a row holds an answer of odd values")
    words, finish, tokens, reason, *later = row
    scores, gap = later or ((), None)  # rows of earlier versions end before these
    return Answer(words, finish, None if tokens is None else tuple(tokens), reason, tuple(scores), gap)


_ABSENT = type(None)
_KINDS: tuple[tuple[type, ...], ...] = ((str,), (str,), (list, _ABSENT), (str, _ABSENT), (list,), (float, int, _ABSENT))
"""Of the values of a row."""
