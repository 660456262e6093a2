"""In which order a pass goes through its texts."""

from __future__ import annotations

import random
from collections.abc import Sequence

from pytest_forgetting.training.rows import Row

WINDOW = 4
"""Batches that share out their rows by length."""


def batched(rows: Sequence[Row], batch_size: int) -> list[Row]:
    """`rows` shuffled, then dealt out so that each batch holds rows of like length.

    Otherwise half of a batch would be padding. Only a few batches at a time are sorted: were it the whole pass, the
    same rows would meet in every pass, and less would be learned. Draws on Python's random state.
    """
    shuffled = random.sample(rows, len(rows))
    step = batch_size * WINDOW
    return [row for start in range(0, len(rows), step) for row in _dealt(shuffled[start : start + step], batch_size)]


def _dealt(window: list[Row], batch_size: int) -> list[Row]:
    window.sort(key=lambda row: len(row["input_ids"]))
    batches = [window[start : start + batch_size] for start in range(0, len(window), batch_size)]
    random.shuffle(batches)
    return [row for batch in batches for row in batch]
