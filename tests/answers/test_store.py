"""The answer store."""

import sqlite3
import stat
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.store import Store
from pytest_forgetting.answers.store_rows import answer_in, to_text


def keys(count: int) -> list[bytes]:
    """Distinct keys."""
    return [n.to_bytes(32, "big") for n in range(count)]


def test_answers_come_back_as_they_were(tmp_path: Path) -> None:
    """Text, finish, tokens and reason survive the way through the file."""
    answer = Answer("Paris", "eos", (5, 7), None)
    Store(tmp_path).keep({b"k": answer})
    assert Store(tmp_path).recall([b"k", b"other"]) == {b"k": answer}


@given(text=st.text(st.characters()))
def test_any_text_survives(text: str) -> None:
    """Whatever a model says, lone surrogates too, is stored and read back."""
    answer = Answer(text, "length", None, None)
    assert answer_in(to_text(answer)) == answer


def test_thousands_of_keys_are_recalled_at_once(tmp_path: Path) -> None:
    """More keys than one SQL statement can bear are no trouble."""
    store = Store(tmp_path)
    wanted = keys(3000)
    store.keep({key: Answer("x", "eos") for key in wanted[::2]})
    assert list(store.recall(wanted)) == wanted[::2]


def test_the_store_is_private(tmp_path: Path) -> None:
    """Nobody else can read what the models said."""
    store = Store(tmp_path / "made")
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_a_corrupt_store_is_set_aside(tmp_path: Path) -> None:
    """A file that is no database is kept for the curious, and a new one begun."""
    (tmp_path / "answers.sqlite").write_bytes(b"this is no database, and long enough to be sure of it" * 50)
    store = Store(tmp_path)
    store.keep({b"k": Answer("x", "eos")})
    assert store.recall([b"k"]) == {b"k": Answer("x", "eos")}
    assert "set aside as answers.set-aside-" in store.notes[0]


def test_stores_set_aside_do_not_pile_up(tmp_path: Path) -> None:
    """The two latest are kept, and that others were removed is told; what else lies there is left alone."""
    damaged = [f"damaged file {n}, which is no database".encode() * 50 for n in range(4)]
    (tmp_path / "answers.sqlite-of-mine").touch()
    for text in damaged:
        (tmp_path / "answers.sqlite").write_bytes(text)
        store = Store(tmp_path)
        store.close()
    assert {path.read_bytes() for path in tmp_path.glob("answers.set-aside-*")} == set(damaged[-2:])
    assert "begun anew; 1 set aside earlier was removed" in store.notes[0]
    assert (tmp_path / "answers.sqlite-of-mine").exists()


def test_a_store_damaged_in_mid_run_is_rebuilt(tmp_path: Path) -> None:
    """Pages overwritten under an open store cost the stored answers, not the run."""
    store = Store(tmp_path)
    store.keep({key: Answer("x" * 500, "eos") for key in keys(2000)})
    store._database.execute("pragma wal_checkpoint(truncate)")
    damaged = bytearray(store.path.read_bytes())
    damaged[2000:] = b"\xff" * (len(damaged) - 2000)
    store.close()
    store._database = sqlite3.connect(store.path, check_same_thread=False)
    store.path.write_bytes(damaged)
    assert store.recall(keys(2000)) == {}
    store.keep({b"k": Answer("x", "eos")})
    assert store.recall([b"k"]) == {b"k": Answer("x", "eos")}


def test_a_store_of_another_version_is_set_aside(tmp_path: Path) -> None:
    """Answers of an unknown layout are not misread."""
    with sqlite3.connect(tmp_path / "answers.sqlite") as database:
        database.execute("pragma user_version = 99")
    assert "it is of version 99" in Store(tmp_path).notes[0]


def test_answers_that_cannot_be_saved_live_to_the_end_of_the_run(tmp_path: Path) -> None:
    """A database that has become read-only costs later runs, not this one."""
    store = Store(tmp_path)
    store._database.execute("pragma query_only = on")
    store.keep({b"k": Answer("x", "eos")})
    assert store.recall([b"k"]) == {b"k": Answer("x", "eos")}
    assert "they are kept for this run only" in store.notes[0]


def test_a_large_store_loses_its_oldest_half(tmp_path: Path) -> None:
    """Above the limit, what was used last stays."""
    store = Store(tmp_path)
    old, new = keys(200)[:100], keys(200)[100:]
    store.keep({key: Answer("x" * 1000, "eos") for key in old})
    with store._database:
        store._database.execute("update answers set used = 1")
    store.keep({key: Answer("x" * 1000, "eos") for key in new})
    store._database.execute("pragma wal_checkpoint(truncate)")
    store.close()
    assert list(Store(tmp_path, size_limit=1000).recall([*old, *new])) == new


def test_facts_are_remembered(tmp_path: Path) -> None:
    """What was found out about a model need not be found out again."""
    Store(tmp_path).remember("adapter:1", "no effect")
    assert Store(tmp_path).fact("adapter:1") == "no effect"
    assert Store(tmp_path).fact("adapter:2") is None
