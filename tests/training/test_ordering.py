"""The order of a pass."""

import random

from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.training.ordering import batched
from pytest_forgetting.training.rows import Row


def row(length: int, mark: int = 0) -> Row:
    """A row of so many tokens."""
    return {"input_ids": [mark] * length, "labels": [mark] * length}


@given(st.lists(st.integers(1, 60), max_size=300), st.integers(1, 32))
def test_each_row_comes_once(lengths: list[int], batch_size: int) -> None:
    """Ordering neither loses nor repeats a row."""
    rows = [row(length, mark) for mark, length in enumerate(lengths)]
    ordered = batched(rows, batch_size)
    assert sorted(map(str, ordered)) == sorted(map(str, rows))


def test_batches_hold_rows_of_like_length() -> None:
    """Long and short rows seldom share a batch, which would pad the short ones."""
    rows = [row(length) for length in [5] * 32 + [50] * 32]
    ordered = batched(rows, batch_size=16)
    lengths = [{len(one["input_ids"]) for one in ordered[start : start + 16]} for start in range(0, 64, 16)]
    assert all(len(found) == 1 for found in lengths)


def test_order_differs_from_pass_to_pass() -> None:
    """A second pass meets the rows in another order; the same state of chance in the same one."""
    rows = [row(7, mark) for mark in range(64)]
    state = random.getstate()
    first, second = batched(rows, 8), batched(rows, 8)
    random.setstate(state)
    assert first != second
    assert batched(rows, 8) == first
