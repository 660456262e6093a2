"""Seeding that leaves no trace."""

import random

import numpy
import pytest
import torch

from pytest_forgetting.training.reproducible import THREADS, reproducible


def draws() -> tuple[float, float, float]:
    """The next number of each kind."""
    return random.random(), float(numpy.random.rand()), float(torch.rand(()))


def fail_in_block() -> None:
    """Draw, then raise."""
    with reproducible(2):
        draws()
        raise ZeroDivisionError


def test_same_seed_same_numbers() -> None:
    """All three sources are seeded."""
    with reproducible(5):
        first = draws()
    with reproducible(5):
        assert draws() == first
    with reproducible(6):
        assert all(one != other for one, other in zip(draws(), first, strict=True))


def test_callers_numbers_go_on_as_if_nothing_had_been() -> None:
    """Training in a test session does not change what later tests draw, even if it fails."""
    with reproducible(1):
        expected = draws()
    with reproducible(1):
        with pytest.raises(ZeroDivisionError):
            fail_in_block()
        assert draws() == expected


def test_threads_are_put_back() -> None:
    """The fixed number of threads holds within the block only."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with reproducible(0):
            assert torch.get_num_threads() == THREADS
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
