"""Progress of answering: who is told of it, and answers that are kept as they come."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pytest_forgetting.answers.answer import Answer
    from pytest_forgetting.answers.requests import Request

    Keep = Callable[[dict[Request, Answer]], None]


class Progress(Protocol):
    """Told about work as it goes on."""

    def load(self, ref: str) -> None:
        """The model `ref` is about to be loaded."""

    def start(self, label: str, total: int, cost: float = 0.0) -> None:
        """`total` answers of `label` are about to be computed, which cost `cost` in all; 0: all the same.

        Told once more before `finish`, it corrects what is still to come.
        """

    def advance(self, done: int, cost: float = 0.0) -> None:
        """`done` more of them are there, which have cost `cost`."""

    def finish(self) -> None:
        """That was all."""


class Silent:
    """Progress that nobody watches."""

    def load(self, ref: str) -> None:
        """Say nothing."""

    def start(self, label: str, total: int, cost: float = 0.0) -> None:
        """Say nothing."""

    def advance(self, done: int, cost: float = 0.0) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Say nothing."""


class Watched:
    """Keeps answers as they come, and tells of it."""

    def __init__(
        self, keep: Keep, requests: Sequence[Request], progress: Progress, label: str, ahead: float = 1.0
    ) -> None:
        """Have the answers to `requests` kept by `keep`, and tell `progress` of them as of `label`.

        What is still to come is told as `ahead` times as much, as other requests will follow.
        """
        self._keep, self._requests, self._progress, self._label = keep, requests, progress, label
        self._ahead = ahead
        self._costs: Mapping[int, int] = {}

    def begin(self, costs: Mapping[int, int]) -> None:
        """All that may be costly is known."""
        self._costs = costs
        total = round(self._ahead * len(self._requests))
        self._progress.start(self._label, total, self._ahead * sum(costs.values()))

    def deliver(self, answers: dict[int, Answer]) -> None:
        """Some answers are there."""
        self._keep({self._requests[n]: answer for n, answer in answers.items()})
        self._progress.advance(len(answers), sum(self._costs.get(n, 0) for n in answers))
