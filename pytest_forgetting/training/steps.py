"""Progress of long work, step by step: how whoever watches is told of it."""

from __future__ import annotations

from collections.abc import Callable

OnStep = Callable[[int, int], None]
"""Called with the steps done and the steps in all. Another total means that another piece of work has begun."""


def silent(done: int, total: int) -> None:
    """Tell nobody."""
