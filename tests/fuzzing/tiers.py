"""How long a property is tried: a few hundred examples in every run, ten thousand in the slow one."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

T = TypeVar("T")
MANY = 10_000
HANGS = 60
"""Seconds after which one example counts as endless; the slowest take a hundredth of that."""


def tiers(few: int, many: int = MANY) -> pytest.MarkDecorator:
    """Give a test its number of examples, `few` where CI waits for it and `many` in `make test-slow`."""
    counts = [few, pytest.param(many, marks=pytest.mark.slow)]
    return pytest.mark.parametrize("examples", counts, ids=["few", "many"])


def trying(examples: int) -> settings:
    """So many examples: the same ones in every run where they are few, so that CI is not red by chance."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    return settings(
        max_examples=examples, derandomize=examples < MANY, database=None, deadline=None, suppress_health_check=slow
    )


def outcome(ask: Callable[[], T], *refusals: type[Exception]) -> tuple[T | None, str]:
    """What `ask` gives, or the message of one of `refusals`; nothing else may be raised, and it must end."""
    try:
        with ending():
            return ask(), ""
    except refusals as error:
        return None, str(error)


@contextmanager
def ending() -> Iterator[None]:
    """Fail what would never end, instead of waiting for it."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"no end after {HANGS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(HANGS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
