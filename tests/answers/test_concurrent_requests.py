"""Work in a thread of its own, whose results come one by one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from pytest_forgetting.answers.concurrent_requests import as_they_come


async def brief(put: Callable[[int], None]) -> None:
    """Put out one number and end."""
    put(1)


def test_work_that_ends_while_it_is_stopped_is_no_error() -> None:
    """Whoever has heard enough stops it, at whatever moment of its end."""
    for _ in range(300):
        assert next(as_they_come(brief)) == 1
        assert list(as_they_come(brief)) == [1]


def test_whoever_stops_listening_stops_the_work() -> None:
    """No thread goes on by itself."""

    async def endless(put: Callable[[int], None]) -> None:
        while True:
            put(1)
            await asyncio.sleep(0)

    for result in as_they_come(endless):
        assert result == 1
        break
    assert "forgetting-servers" not in {thread.name for thread in threading.enumerate()}


def test_what_the_work_raises_comes_behind_its_results() -> None:
    """Nothing that was put out is lost by it."""

    async def failing(put: Callable[[int], None]) -> None:
        put(1)
        raise ValueError("broken")

    results = as_they_come(failing)
    assert next(results) == 1
    with pytest.raises(ValueError, match="broken"):
        next(results)
