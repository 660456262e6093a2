"""What is read together gives the logits of what is read alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.answers.kv_cache import LEAST_SHARED, Reader, _passes, _shared, joined
from pytest_forgetting.models.loading import LoadedModel, LoadedPair, LoadOptions
from pytest_forgetting.models.references import resolve
from tests.tiny_models import tiny_llama

COMMON = list(range(10, 30))
ROWS = [[*COMMON, 40, 41, 42], [*COMMON, 50], [*COMMON, *range(60, 75)]]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadedModel]:
    """A random Llama."""
    folder = tiny_llama(tmp_path_factory.mktemp("llama"))
    with LoadedPair({"model": resolve(str(folder))}, LoadOptions(device="cpu")).speaking("model") as model:
        yield model


@torch.inference_mode()
def alone(loaded: LoadedModel, row: list[int], keep: int = 1) -> torch.Tensor:
    """The logits of the last `keep` positions of one row, by a plain forward pass."""
    logits: torch.Tensor = loaded.model(input_ids=torch.tensor([row])).logits
    return logits[0, -keep:]


def widths(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shape of what each forward pass reads, from now on."""
    seen = []
    forward = Reader._forward

    def watched(self: Reader, ids: torch.Tensor, *rest: Any) -> torch.Tensor:
        seen.append(tuple(ids.shape))
        return forward(self, ids, *rest)

    monkeypatch.setattr(Reader, "_forward", watched)
    return seen


@torch.inference_mode()
def test_rows_with_a_common_beginning_are_read_like_rows_alone(loaded: LoadedModel) -> None:
    """Whatever stands behind it, and however long."""
    _, logits = Reader(loaded).read(ROWS)
    for n, row in enumerate(ROWS):
        torch.testing.assert_close(logits[n], alone(loaded, row), rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_a_common_beginning_is_read_once(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """One row for what all begin with, and then what each has by itself."""
    seen = widths(monkeypatch)
    Reader(loaded).read(ROWS)
    assert seen == [(1, 20), (3, 15)]


@torch.inference_mode()
def test_on_request_nothing_is_read_apart(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch of fixed shape is read in one go."""
    seen = widths(monkeypatch)
    Reader(loaded).read(ROWS, width=64, share=False)
    assert seen == [(3, 64)]


def read_in_passes(loaded: LoadedModel, rows: list[list[int]], ahead: list[int], most: int) -> list[int]:
    """Check the logits of `rows`, read in passes of at most `most` tokens, and of a token behind them; rows a pass."""
    reader, sizes, reads = Reader(loaded), [], []
    reader._at_once = most
    for part, read, logits in reader.read_in_passes(rows, ahead):
        for row, wanted, found in zip(rows[part], ahead[part], logits, strict=True):
            torch.testing.assert_close(found[-1 - wanted :], alone(loaded, row, 1 + wanted), rtol=1e-4, atol=1e-4)
        sizes.append(len(logits))
        reads.append(read)
    behind = reader.go_on(joined(reads), [[5]] * len(rows))
    for row, found in zip(rows, behind, strict=True):
        torch.testing.assert_close(found, alone(loaded, [*row, 5]), rtol=1e-4, atol=1e-4)
    return sizes


@torch.inference_mode()
@pytest.mark.parametrize("common", [COMMON, []])
def test_rows_read_in_passes_go_on_together(loaded: LoadedModel, common: list[int]) -> None:
    """Each pass is as wide as its own longest row, and what was read in all of them is one batch afterwards."""
    rows = [[*common, *range(40, 40 + own)] for own in (30, 28, 9, 8, 7, 2, 1)]
    assert read_in_passes(loaded, rows, [20, 3, 8, 0, 0, 1, 0], 60) == [2, 5]


@torch.inference_mode()
def test_a_row_that_is_all_common_beginning_may_stand_in_a_pass_by_itself(loaded: LoadedModel) -> None:
    """It reads the end of the beginning once more, as logits are wanted there."""
    assert read_in_passes(loaded, [[*COMMON, *range(40, 70)], COMMON, COMMON], [0, 5, 2], 1) == [1, 1, 1]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.integers(1, 200))
def test_passes_are_as_large_as_may_be(lengths: list[int], most: int) -> None:
    """All rows in their order, none twice; a pass is over the limit only with a single row, and one more would be."""
    passes = list(_passes(lengths, most))
    assert [n for part in passes for n in range(len(lengths))[part]] == list(range(len(lengths)))
    for part in passes:
        own = lengths[part]
        assert len(own) == 1 or max(own) * len(own) <= most
        more = lengths[part.start : part.stop + 1]
        assert len(more) == len(own) or max(more) * len(more) > most


@torch.inference_mode()
def test_more_is_read_behind_what_was_read(loaded: LoadedModel) -> None:
    """Rows go on by one token or by several, and each may be there several times."""
    reader = Reader(loaded)
    read, _ = reader.read(ROWS)
    read.select([2, 0, 0])
    more = [[7], [8, 9, 10], [11, 12]]
    logits = reader.go_on(read, more, keep=3)
    for n, (row, rest) in enumerate(zip([2, 0, 0], more, strict=True)):
        wanted = alone(loaded, ROWS[row] + rest, len(rest))
        torch.testing.assert_close(logits[n, : len(rest)], wanted, rtol=1e-4, atol=1e-4)


@torch.inference_mode()
@pytest.mark.parametrize("share", [True, False])
def test_what_was_read_too_much_is_taken_back(loaded: LoadedModel, share: bool) -> None:
    """Of each row its beginning is kept, and read on from there as if nothing else had been."""
    reader = Reader(loaded)
    read, _ = reader.read(ROWS, share=share)
    valid = [len(COMMON) + 1, len(COMMON) + 4]
    read.rewind([0, 2], [len(ROWS[0]), len(ROWS[2])], valid)
    logits = reader.go_on(read, [[5], [6]])
    torch.testing.assert_close(logits[0], alone(loaded, [*ROWS[0][: valid[0]], 5]), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(logits[1], alone(loaded, [*ROWS[2][: valid[1]], 6]), rtol=1e-4, atol=1e-4)


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=30), min_size=1, max_size=5), st.integers(1, 3))
def test_the_longest_row_keeps_tokens_of_its_own(rows: list[list[int]], keep: int) -> None:
    """What is shared is what all begin with, short of the longest row's positions whose logits are wanted."""
    rows = [[1] * 12 + row for row in rows]
    shared = _shared(rows, keep)
    assert all(row[:shared] == rows[0][:shared] for row in rows)
    most = min(min(map(len, rows)), max(map(len, rows)) - keep)
    assert shared == 0 or LEAST_SHARED <= shared <= most
    if len(rows) > 1 and 0 < shared < most:
        assert len({row[shared] for row in rows}) > 1
