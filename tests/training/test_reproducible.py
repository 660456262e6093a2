"""Seeding that leaves no trace."""

import random

import numpy
import pytest
import torch

from pytest_forgetting.training.reproducible import reproducible, single_threaded


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


@single_threaded()
def threads_then_failure() -> None:
    """Raise the number of threads, as an exception."""
    raise RuntimeError(torch.get_num_threads())


def test_threads_are_put_back() -> None:
    """The single thread holds within the block only, even if it fails."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(RuntimeError, match="1"):
            threads_then_failure()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
