"""A pool of Ray actors that do jobs: a bounded number in flight, a lost actor replaced, its job done by another.

Ray's own `ray.util.ActorPool` gives an actor that has died its next job, and does not say which job was lost; Ray's
restarts wait for ever where the cluster has become too small; `ray.data` brings a data frame library for a few texts.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pytest_forgetting.answers.ray_cluster import first_line
from pytest_forgetting.errors import CannotAnswer, ForgettingError

J = TypeVar("J")
START_SECONDS = 300.0
"""Within which a first actor is ready: on a cluster that is in use, it may have to wait."""
LOOK_EVERY = 1.0
"""Seconds that a wait for actors lasts at most, so that Ctrl-C is heard."""
MOST_DEATHS = 3
"""Of actors over one job, or before any has done a job: then it is no accident."""


@dataclass
class Job(Generic[J]):
    """What is given to an actor."""

    what: J
    deaths: int = 0
    """Actors that were lost over it."""


class ActorPool:
    """A number of actors of one kind; each does one job at a time, and gets the next when its result is there."""

    def __init__(self, make: Callable[[], Any], size: int) -> None:
        """Start actors.

        Args:
            make: makes one; the handle has a method ``see_ready``.
            size: how many.
        """
        self.size = size
        self._make = make
        self._starting: dict[Any, Any] = {}
        self._idle: list[Any] = []
        self._busy: dict[Any, Any] = {}
        self._lost = 0
        for _ in range(size):
            self._start_one()

    def run(self, jobs: Iterator[J], give: Callable[[Any, J], Any], done: Callable[[J, Any], None]) -> None:
        """Have all `jobs` done, in any order; the next is asked for when somebody is idle.

        Args:
            jobs: taken one by one.
            give: starts a job on an actor, and gives what its result is known by.
            done: takes a job with its result.

        Raises:
            CannotAnswer: no actor becomes ready, they die again and again, or one says so.
        """
        again: list[Job[J]] = []
        given: dict[Any, Job[J]] = {}
        while True:
            # Those over which an actor was lost come last: all others are done even if one kills whoever does it.
            while self._idle and (job := _next(jobs) or (again.pop() if again else None)) is not None:
                actor = self._idle.pop()
                ref = give(actor, job.what)
                self._busy[ref], given[ref] = actor, job
            if self._idle and not self._busy:
                return
            for ref in self._arrived():
                actor, job = self._busy.pop(ref), given.pop(ref)
                result = self._result(ref)
                if isinstance(result, Lost):
                    again.append(self._to_retry(actor, job, result))
                else:
                    self._lost = 0
                    self._idle.append(actor)
                    done(job.what, result)

    def close(self) -> None:
        """End all actors."""
        for actor in [*self._starting.values(), *self._busy.values(), *self._idle]:
            _kill(actor)
        self._starting, self._busy, self._idle = {}, {}, []

    def _start_one(self) -> None:
        actor = self._make()
        self._starting[actor.see_ready.remote()] = actor

    def _arrived(self) -> list[Any]:
        """Wait for a result, or for an actor that has become ready."""
        import ray

        deadline = time.monotonic() + START_SECONDS
        while True:
            arrived, _ = ray.wait([*self._busy, *self._starting], num_returns=1, timeout=LOOK_EVERY)
            if arrived and arrived[0] in self._busy:
                return list(arrived)
            if arrived and self._is_taken_in(arrived[0]):
                return []
            if not self._busy and time.monotonic() > deadline:
                raise CannotAnswer(
                    f"no Ray actor became ready within {START_SECONDS:.0f} seconds; is the cluster in use by others?"
                )

    def _is_taken_in(self, ref: Any) -> bool:
        actor = self._starting.pop(ref)
        result = self._result(ref)
        if isinstance(result, Lost):
            self._replace(actor, result)
            return False
        self._idle.append(actor)
        return True

    def _to_retry(self, actor: Any, job: Job[J], lost: Lost) -> Job[J]:
        job.deaths += 1
        if job.deaths >= MOST_DEATHS:
            raise CannotAnswer(
                f"{MOST_DEATHS} Ray actors were lost over the same requests, the last one so: {lost.reason}; if memory"
                " is short, use a smaller --batch-size or --dtype bfloat16"
            )
        self._replace(actor, lost)
        return job

    def _replace(self, actor: Any, lost: Lost) -> None:
        _kill(actor)
        self._lost += 1
        if self._lost > MOST_DEATHS * self.size:
            raise CannotAnswer(f"Ray actors are lost again and again, the last one so: {lost.reason}")
        self._start_one()

    def _result(self, ref: Any) -> Any:
        """What came of a job.

        Raises:
            CannotAnswer: the actor says why not.
        """
        import ray
        from ray.exceptions import RayError, RayTaskError

        try:
            return ray.get(ref)
        except RayTaskError as error:
            cause = error.cause
            if isinstance(cause, ForgettingError):
                raise type(cause)(str(cause)) from None
            told = f"{type(cause).__name__}: {first_line(cause)}"
            hint = "; install pytest-forgetting and its libraries on every node" if "import" in told else ""
            raise CannotAnswer(f"a Ray actor failed: {told}{hint}") from None
        except RayError as error:
            return Lost(first_line(error))


@dataclass(frozen=True)
class Lost:
    """In the place of a result: the actor, or what it had found, is gone."""

    reason: str


def _next(jobs: Iterator[J]) -> Job[J] | None:
    return next((Job(what) for what in jobs), None)


def _kill(actor: Any) -> None:
    import ray

    with contextlib.suppress(Exception):  # it may be gone, and its node with it
        ray.kill(actor)
