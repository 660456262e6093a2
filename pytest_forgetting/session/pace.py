"""How fast work goes on, and how long the rest of it takes."""

from __future__ import annotations

SMOOTHING = 0.3
"""What the latest step counts, from 0 to 1; those before it count ever less."""


class Pace:
    """Cost worked off in a second, the latest steps counting most: a first batch that warms up is soon forgotten."""

    def __init__(self) -> None:
        """Nothing is done yet."""
        self._cost = 0.0
        self._seconds = 0.0
        self._last = 0.0

    def begin(self, now: float) -> None:
        """The next step begins at `now`; what went on before, such as loading, does not count."""
        self._last = now

    def add(self, cost: float, now: float) -> None:
        """A step that has cost `cost` ended at `now`."""
        self._cost += SMOOTHING * (cost - self._cost)
        self._seconds += SMOOTHING * (now - self._last - self._seconds)
        self._last = now

    def seconds_for(self, cost: float) -> float | None:
        """How long work that costs `cost` takes; None before the first step."""
        return None if self._cost <= 0 else cost * self._seconds / self._cost
