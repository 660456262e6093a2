"""Stores that are damaged, locked, of another layout, or on a disk that is full or cannot be written."""

import random
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_forgetting.answers import store as stores
from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.store import Store

ANSWERS = {n.to_bytes(32, "big"): Answer(f"answer {n} " * 20, "eos", (n, n + 1)) for n in range(300)}


def written(folder: Path) -> bytes:
    """A store with all answers in `folder`; the bytes of its file."""
    store = Store(folder)
    store.keep(ANSWERS)
    store._database.execute("pragma wal_checkpoint(truncate)")
    store.close()
    return store.path.read_bytes()


def see_right(folder: Path) -> None:
    """The store opens, tells no wrong answer, and takes and gives all of them."""
    store = Store(folder)
    assert store.recall(list(ANSWERS)).items() <= ANSWERS.items()
    store.keep(ANSWERS)
    assert store.recall(list(ANSWERS)) == ANSWERS
    store.close()


@pytest.mark.parametrize("seed", range(20))
def test_flipped_bytes_give_no_wrong_answer(tmp_path: Path, seed: int) -> None:
    """Wherever a byte was changed, answers are right or are asked again."""
    data, draw = bytearray(written(tmp_path)), random.Random(seed)
    for _ in range(draw.randint(1, 8)):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    (tmp_path / "answers.sqlite").write_bytes(data)
    see_right(tmp_path)


@pytest.mark.parametrize("share", [0, 0.001, 0.05, 0.3, 0.5, 0.9, 0.999])
def test_a_truncated_store_gives_no_wrong_answer(tmp_path: Path, share: float) -> None:
    """A file that ends early, wherever it ends."""
    data = written(tmp_path)
    (tmp_path / "answers.sqlite").write_bytes(data[: int(len(data) * share)])
    see_right(tmp_path)


@pytest.mark.parametrize("column", ["answer", "used", "sum"])
def test_a_table_that_lacks_a_column_is_begun_anew(tmp_path: Path, column: str) -> None:
    """A layout that is not the one written here is set aside."""
    written(tmp_path)
    with sqlite3.connect(tmp_path / "answers.sqlite") as database:
        database.execute(f"alter table answers drop column {column}")
    database.close()
    see_right(tmp_path)


def test_an_older_version_is_set_aside(tmp_path: Path) -> None:
    """Stores whose rows bear no sums are not read."""
    written(tmp_path)
    with sqlite3.connect(tmp_path / "answers.sqlite") as database:
        database.execute("pragma user_version = 1")
    database.close()
    store = Store(tmp_path)
    assert "it is of version 1" in store.notes[0]
    assert store.recall(list(ANSWERS)) == {}


def test_a_locked_store_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has it locked for long: this run does without, and what is stored stays."""
    written(tmp_path)
    monkeypatch.setattr(stores, "PATIENCE", 0.1)
    other = sqlite3.connect(tmp_path / "answers.sqlite")
    other.execute("pragma locking_mode = exclusive")
    other.execute("begin exclusive")
    other.execute("update answers set used = used")
    see_right(tmp_path)
    other.rollback()
    other.close()
    assert list(tmp_path.glob("*set-aside*")) == []
    assert Store(tmp_path).recall(list(ANSWERS)) == ANSWERS


def test_a_store_set_aside_by_another_process_is_not_set_aside_twice(tmp_path: Path) -> None:
    """Two that find the same damage: the second uses what the first has begun."""
    data = bytearray(written(tmp_path))
    data[4096:] = b"\xff" * (len(data) - 4096)
    (tmp_path / "answers.sqlite").write_bytes(data)
    one, other = Store(tmp_path), Store(tmp_path)
    assert one.recall(list(ANSWERS)) == {}
    one.keep(ANSWERS)
    other.recall(list(ANSWERS))
    assert other.recall(list(ANSWERS)) == ANSWERS
    assert len(list(tmp_path.glob("*set-aside*"))) == 1


@pytest.mark.parametrize("full_before", [False, True])
def test_a_full_disk_costs_no_answer(small_disk: Path, full_before: bool) -> None:
    """What cannot be saved is known to the end of the run, and it is told."""
    if full_before:
        subprocess.run(["dd", "if=/dev/zero", f"of={small_disk / 'filling'}"], capture_output=True)
    store = Store(small_disk)
    for key, answer in ANSWERS.items():
        store.keep({key: answer})
    assert store.recall(list(ANSWERS)) == ANSWERS
    assert "for this run only" in store.notes[0]
    assert list(small_disk.glob("*set-aside*")) == []


def test_a_store_that_may_not_be_read_is_done_without(tmp_path: Path) -> None:
    """A folder stands in the place of the file, so that not even root can open it."""
    (tmp_path / "answers.sqlite").mkdir()
    store = Store(tmp_path)
    store.keep(ANSWERS)
    assert store.recall(list(ANSWERS)) == ANSWERS
    assert "cannot be used" in store.notes[0]


def test_a_store_on_a_read_only_disk_is_read(tmp_path: Path, read_only: Callable[[Path], None]) -> None:
    """It has become so in mid-run: what is stored is found, the rest is known to the end of the run."""
    known = dict(list(ANSWERS.items())[:100])
    store = Store(tmp_path / "store")
    store.keep(known)
    read_only(tmp_path / "store")
    store.keep(ANSWERS)
    assert store.recall(list(ANSWERS)) == ANSWERS
    store.close()
    later = Store(tmp_path / "store")
    later.keep(ANSWERS)
    assert later.recall(list(ANSWERS)) == ANSWERS
    assert "for this run only" in later.notes[0]


def test_a_clock_that_goes_backwards_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers from the future are answers; a store that is too large still gives up its oldest half alone."""
    monkeypatch.setattr(time, "time", lambda: 4e9)
    written(tmp_path)
    monkeypatch.setattr(time, "time", lambda: 1e9)
    more = {key[::-1]: answer for key, answer in ANSWERS.items() if key[::-1] not in ANSWERS}
    store = Store(tmp_path)
    assert store.recall(list(ANSWERS)) == ANSWERS
    store.keep(more)
    assert store.recall(list(more)) == more
    store._database.execute("pragma wal_checkpoint(truncate)")
    store.close()
    smaller = Store(tmp_path, size_limit=1000)
    left = smaller.recall([*ANSWERS, *more])
    assert len(left) == (len(ANSWERS) + len(more)) // 2
    assert left.items() <= {**ANSWERS, **more}.items()


def test_facts_that_cannot_be_saved_are_known_to_the_end_of_the_run(tmp_path: Path) -> None:
    """That an adapter has no effect is not forgotten for a full disk, nor where another process has found it out."""
    store, other = Store(tmp_path), Store(tmp_path)
    store._database.execute("pragma query_only = on")
    store.remember("adapter:1", "no effect")
    assert store.fact("adapter:1") == "no effect"
    other.take_over(store.refused)
    assert other.fact("adapter:1") == "no effect"
