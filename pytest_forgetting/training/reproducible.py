"""The same seed gives the same weights, and a caller's own random numbers are left as they were."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy
import torch

THREADS = 2
"""Sums in another number of threads round differently: one number for every machine."""


@contextmanager
def reproducible(seed: int) -> Iterator[None]:
    """Seed Python, NumPy and torch within the block, and put their states back after it."""
    python, array, threads = random.getstate(), numpy.random.get_state(), torch.get_num_threads()
    with torch.random.fork_rng():
        random.seed(seed)
        numpy.random.seed(seed % 2**32)
        torch.manual_seed(seed)
        torch.set_num_threads(THREADS)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            numpy.random.set_state(array)
            random.setstate(python)
