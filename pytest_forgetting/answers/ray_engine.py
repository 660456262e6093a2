"""The engine of a Ray cluster: actors that each hold the pair of models, and one driver that stores their answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_forgetting.answers.engine import DivergenceTask, Heard, Noted, Task
from pytest_forgetting.answers.planning import LEAST_SHARE, shares_of, weight
from pytest_forgetting.answers.ray_actor import ActorSetup, AnsweringActor
from pytest_forgetting.answers.ray_cluster import Cluster, Needs
from pytest_forgetting.answers.ray_pool import ActorPool

if TYPE_CHECKING:
    from pytest_forgetting.answers.answer import Answer
    from pytest_forgetting.answers.requests import Request
    from pytest_forgetting.answers.sides import SideName

MOST = {"cuda": 1024}
"""Requests of a share, which are lost with its actor; elsewhere `MOST_ELSEWHERE`."""
MOST_ELSEWHERE = 128


class RayEngine:
    """Starts actors when it is first asked, and lets them and the cluster go when it is freed."""

    def __init__(self, cluster: Cluster, setup: ActorSetup, needs: Needs, actors: int | None) -> None:
        """Prepare; nothing is started.

        Args:
            cluster: where actors run.
            setup: what each of them is told first.
            needs: what each takes of a node.
            actors: how many; None: as many as there is room for.
        """
        self._cluster = cluster
        self._setup = setup
        self._needs = needs
        self._actors = actors
        self._most = MOST.get(setup.options.device, MOST_ELSEWHERE)
        self._pool: ActorPool | None = None

    def settle(self, devices: Sequence[str]) -> None:
        """Ray itself says which device an actor has."""

    def is_ready(self, side: SideName) -> bool:  # noqa: ARG002 - actors load what they are asked
        """Whether there are actors."""
        return self._pool is not None

    def ask(self, task: Task, heard: Heard) -> Noted:
        """Spread `task` over the actors.

        Raises:
            CannotAnswer: no cluster, no actor, or a model does not load or cannot be asked.
        """
        pool = self._started_pool()
        heard.begin({n: weight(request) for n, request in enumerate(task.requests)})
        places = {request: n for n, request in enumerate(task.requests)}
        found: Noted | None = None

        def done(share: list[Request], result: tuple[dict[int, Answer], Noted]) -> None:
            nonlocal found
            answers, noted = result
            found = noted if found is None else _merged(found, noted)
            heard.deliver({places[share[n]]: answer for n, answer in answers.items()})

        def give(actor: Any, share: list[Request]) -> Any:
            drafts = {n: task.drafts[places[each]] for n, each in enumerate(share) if places[each] in task.drafts}
            asked = replace(task, requests=tuple(share), drafts=drafts)
            return actor.ask.remote(asked if found is None else replace(asked, effect=(), forms={}))

        pool.run(self._shares(task.requests, pool.size), give, done)
        return found or Noted()

    def measure_divergence(self, task: DivergenceTask, heard: Heard) -> Sequence[str]:
        """Spread the texts of `task` over the actors.

        Raises:
            CannotAnswer: no cluster, no actor, or a model does not load.
        """
        pool = self._started_pool()
        heard.begin({})
        places = {request: n for n, request in enumerate(task.requests)}
        told: list[str] = []

        def done(share: list[Request], result: tuple[dict[int, Answer], tuple[str, ...]]) -> None:
            answers, notes = result
            heard.deliver({places[share[n]]: answer for n, answer in answers.items()})
            told.extend(note for note in notes if note not in told)

        def give(actor: Any, share: list[Request]) -> Any:
            return actor.measure_divergence.remote(replace(task, requests=tuple(share)))

        pool.run(self._shares(task.requests, pool.size), give, done)
        return told

    def free(self) -> None:
        """End the actors, and leave the cluster."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None
        self._cluster.disconnect()

    def _shares(self, requests: Sequence[Request], actors: int) -> Iterator[list[Request]]:
        """Ever smaller shares, cut when somebody is there to take one."""
        return shares_of(list(dict.fromkeys(requests)), actors, LEAST_SHARE, self._most)

    def _started_pool(self) -> ActorPool:
        if self._pool is None:
            import ray

            self._cluster.connect()
            room = self._cluster.room_for(self._needs)
            needs = self._needs
            kind = ray.remote(AnsweringActor).options(num_cpus=needs.cpus, num_gpus=needs.gpus, memory=needs.memory)
            self._pool = ActorPool(lambda: kind.remote(self._setup), min(room, self._actors or room))
        return self._pool


def _merged(one: Noted, other: Noted) -> Noted:
    effect = other.effect if one.effect is None else one.effect
    return Noted(
        effect, {**one.special_tokens, **other.special_tokens}, tuple(dict.fromkeys([*one.notes, *other.notes]))
    )
