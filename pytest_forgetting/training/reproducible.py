"""The same seed gives the same weights, and a caller's own random numbers are left as they were."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy
import torch

from pytest_forgetting.models.undisturbed import random_numbers_kept


@contextmanager
def reproducible(seed: int) -> Iterator[None]:
    """Seed Python, NumPy and torch within the block, and put their states back after it."""
    with random_numbers_kept():
        random.seed(seed)
        numpy.random.seed(seed % 2**32)
        torch.manual_seed(seed)
        yield


@contextmanager
def single_threaded() -> Iterator[None]:
    """Let torch compute in one thread within the block.

    Sums in another number of threads round differently, so this gives the same weights on machines with other numbers
    of cores. For models of a few million parameters it is no slower, and much faster where the cores are busy.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
