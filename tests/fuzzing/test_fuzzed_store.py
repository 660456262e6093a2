"""The store gives back every answer as it was, and takes whatever else it finds for an answer to be asked again."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any, get_args

from hypothesis import example, given
from hypothesis import strategies as st

from pytest_forgetting.answers.answer import Answer, Finish
from pytest_forgetting.answers.store import Store
from pytest_forgetting.answers.store_rows import checksum
from tests.fuzzing.hostile_texts import LONG, SAID, TEXTS
from tests.fuzzing.tiers import ending, tiers, trying

KEY = b"k" * 32
FINITE = st.floats(allow_nan=False)
ANSWERS = st.builds(
    Answer,
    SAID | LONG,
    st.sampled_from(get_args(Finish)),
    st.none() | st.lists(st.integers(0, 2**40), max_size=5).map(tuple),
    st.none() | SAID,
    st.lists(FINITE, max_size=3).map(tuple),
    st.none() | FINITE,
)
ROW = ["text", "eos", [1, 2], None, [-1.5], 0.1]
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)


@tiers(20)
def test_every_answer_is_given_back(tmp_path: Path, examples: int) -> None:
    """Lone surrogates, NUL, a megabyte: what is kept is recalled, from the file and by another store."""
    store, other = Store(tmp_path), Store(tmp_path)

    @trying(examples)
    @given(answer=ANSWERS)
    def holds(answer: Answer) -> None:
        store.keep({KEY: answer})
        kept = other.recall([KEY])[KEY]
        assert (kept, kept.gap) == (answer, answer.gap)

    holds()
    assert store.notes == other.notes == []


@st.composite
def rows(draw: st.DrawFn) -> Any:
    """What a damaged column may hold: an answer in which something was changed, or anything."""
    row: list[Any] = list(ROW)
    for _ in range(draw(st.integers(0, 2))):
        row[draw(st.integers(0, len(row) - 1))] = draw(VALUE)
    text = json.dumps(row[: draw(st.integers(0, 6))] if draw(st.booleans()) else row)
    cut = draw(st.integers(0, len(text)))
    return draw(
        st.sampled_from([text, text[:cut], text + "x", text.encode()]) | st.integers(0, 9) | VALUE.map(json.dumps)
    )


@tiers(10, 1000)
def test_no_damaged_row_is_an_error(tmp_path: Path, examples: int) -> None:
    """It is an answer of the right types, or none, and the store goes on."""
    n = 0

    @trying(examples)
    @given(row=rows(), used=st.sampled_from([0, "x", b"\xff", 1.5]))
    @example(row="5", used=0)
    @example(row='{"text": 1, "eos": 2, "c": 3, "d": 4}', used=0)
    @example(row='[5, "eos", null, null]', used=0)
    @example(row='["a", "eos", null, null]', used="x")
    def holds(row: Any, used: Any) -> None:
        nonlocal n
        n += 1
        folder = tmp_path / str(n)
        Store(folder).close()
        with sqlite3.connect(folder / "answers.sqlite") as database:
            database.execute(
                "insert into answers values (?, ?, ?, ?)",
                (KEY, row, used, checksum(KEY, row if isinstance(row, str) else "")),
            )
        database.close()
        store = Store(folder)
        found = store.recall([KEY])
        for answer in found.values():
            assert isinstance(answer.text, str)
            assert answer.finish in get_args(Finish)
        store.keep({KEY: Answer("a", "eos")})
        assert store.recall([KEY]) == {KEY: Answer("a", "eos")}
        store.close()

    holds()


@tiers(10, 1000)
def test_no_damaged_file_is_an_error(tmp_path: Path, examples: int) -> None:
    """Bytes of the file changed, cut off or all of them others: it is read, or set aside and begun anew."""
    good = Store(tmp_path / "good")
    good.keep({bytes([n]) * 32: Answer(f"answer {n}", "eos") for n in range(100)})
    good.close()
    whole = (tmp_path / "good" / "answers.sqlite").read_bytes()
    n = 0

    @trying(examples)
    @given(
        places=st.lists(st.integers(0, len(whole) - 1) | st.integers(0, 120), max_size=8),
        byte=st.integers(0, 255),
        end=st.just(len(whole)) | st.integers(0, len(whole)),
        other=st.none() | st.binary(max_size=200),
    )
    def holds(places: list[int], byte: int, end: int, other: bytes | None) -> None:
        nonlocal n
        n += 1
        data = bytearray(whole)
        for place in places:
            data[place] = byte
        folder = tmp_path / str(n)
        folder.mkdir()
        (folder / "answers.sqlite").write_bytes(bytes(data[:end]) if other is None else other)
        with ending():
            store = Store(folder)
            store.recall([bytes([n % 100]) * 32, KEY])
            store.fact("a")
            store.keep({KEY: Answer("a", "eos")})
            assert store.recall([KEY]) == {KEY: Answer("a", "eos")}
            store.close()

    holds()
