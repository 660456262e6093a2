"""Asking servers what the store does not know yet, both models at once; a model beside them is asked as ever."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from operator import methodcaller
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.asking_servers import Asker, refused
from pytest_forgetting.answers.concurrent_requests import as_they_come, for_each
from pytest_forgetting.answers.interview import Effort, Interview, Wanted, missing_of
from pytest_forgetting.answers.progress import Progress
from pytest_forgetting.answers.requests import Request
from pytest_forgetting.answers.served_side import SCORES, SEED, Scoring, ServedSide, why_unscored
from pytest_forgetting.answers.server_probe import ask_one
from pytest_forgetting.answers.sides import SideName
from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.models.responses import Refusal
from pytest_forgetting.models.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_forgetting.models.source import Source
    from pytest_forgetting.suites.cases import Case, Suite

AT_ONCE = 16
"""Requests to one server, where the user does not say otherwise (``--batch-size``)."""
POLL = 0.5
Job = tuple[SideName, ServedSide, Request]


class ServedInterview:
    """Computes missing answers and stores each as it comes."""

    def __init__(
        self,
        sides: Mapping[SideName, ServedSide],
        local: Interview | None,
        at_once: int | None,
        time_limit: float,
        *,
        beside: Source | None = None,
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            sides: those that servers answer for.
            local: asks the other side, if it can be asked.
            at_once: requests to one server, None for the usual number.
            time_limit: seconds for one of them.
            beside: the other side, where no server answers for it.
        """
        self._sides = sides
        self._local = local
        self._at_once = at_once or AT_ONCE
        self._time_limit = time_limit
        self._beside = beside
        # Workers of one run share a folder: whoever comes first asks, and the others find the answers there.
        self._turn = FileLock(str(next(iter(sides.values())).folder / "servers.lock"), thread_local=False)
        self._answering: set[bytes] = set()
        self.effort = Effort() if local is None else local.effort

    @property
    def both_sides(self) -> bool:
        """Two models that can be measured against each other token by token are none that a server keeps."""
        return False

    def see_answerable(self, suites: Iterable[Suite]) -> None:
        """See that servers give log-likelihoods where one of `suites` goes by them.

        Raises:
            WrongUsage: one does not.
            CannotAnswer: it does not answer.
        """
        for suite in suites:
            for side in self._sides.values() if suite.kind in ("choice", "text") else ():
                if (why := why_unscored(side, suite, self._scoring(side), self._beside)) is not None:
                    raise WrongUsage(f"{suite.nodeid or suite.name}: {why}")

    def _scoring(self, side: ServedSide) -> Scoring:
        """Of what the server of a side gives log-likelihoods; it is asked once."""
        if side.scoring is None:
            side.remember(SCORES, ask_one(side.endpoint, side.kwargs, self._time_limit, Asker.scoring))
        return side.scoring or "nothing"

    def scoring(self) -> dict[SideName, ServedSide]:
        """The sides whose servers give log-likelihoods behind what they are asked; behind chats none does."""
        return {name: side for name, side in self._sides.items() if not side.chat and self._scoring(side) != "nothing"}

    def ask(self, cases: Sequence[Case], progress: Progress) -> None:
        """As `Interview.ask`.

        Raises:
            CannotAnswer: a server does not answer, or a model does not load.
        """
        if self._local is not None:
            self._local.ask(cases, progress)
        asked = {name: [side.requests(case) for case in cases] for name, side in self._sides.items()}
        wanted = {name: [request for requests in each for request in requests] for name, each in asked.items()}
        for name, computed in self._ask_servers(wanted, progress).items():
            self.effort.computed[name] += sum(not computed.isdisjoint(requests) for requests in set(asked[name]))

    def ask_requests(self, wanted: Wanted, progress: Progress, *, anew: bool = False) -> dict[SideName, set[Request]]:
        """As `Interview.ask_requests`; servers have no batches of one shape, and are asked nothing anew.

        Raises:
            CannotAnswer: a server does not answer, or a model does not load.
        """
        served = {name: requests for name, requests in wanted.items() if name in self._sides}
        other = {name: requests for name, requests in wanted.items() if name not in self._sides}
        computed = {} if anew else self._ask_servers(served, progress)
        if self._local is not None and other:
            computed |= self._local.ask_requests(other, progress, anew=anew)
        return computed

    @contextmanager
    def apart(self) -> Iterator[Effort]:
        """Count what asking costs within the block by itself."""
        before = self.effort
        self.effort = Effort()
        try:
            if self._local is None:
                yield self.effort
            else:
                with self._local.apart() as self.effort:
                    yield self.effort
        finally:
            self.effort = before

    def give_way(self) -> None:
        """Free the local model for another process that waits for its device."""
        if self._local is not None:
            self._local.give_way()

    def close(self) -> None:
        """Free the local model."""
        if self._local is not None:
            self._local.close()

    def _ask_servers(self, wanted: Wanted, progress: Progress) -> dict[SideName, set[Request]]:
        computed: dict[SideName, set[Request]] = {name: set() for name in wanted}
        while missing_of(self._sides, wanted):
            with self._my_turn() as mine:
                if mine and (missing := missing_of(self._sides, wanted)):
                    self._ask_missing(missing, computed, progress)
        return computed

    @contextmanager
    def _my_turn(self) -> Iterator[bool]:
        """Whether no other worker asks; waits a moment for those who do."""
        try:
            self._turn.acquire(timeout=POLL)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            self._turn.release()

    def _ask_missing(self, missing: Wanted, computed: Mapping[SideName, set[Request]], progress: Progress) -> None:
        """Ask, keep, and note in `computed` whose requests these were."""
        jobs = list(_distinct((name, self._sides[name], r) for name, requests in missing.items() for r in requests))
        started = time.perf_counter()
        progress.start(" and ".join(sorted({name for name, _, _ in jobs})), len(jobs))
        try:
            for (name, side, request), answer in as_they_come(partial(self._work, jobs)):
                side.keep({request: answer})
                computed[name].add(request)
                self.effort.seconds[name] += time.perf_counter() - started
                started = time.perf_counter()
                progress.advance(1)
            self._see_seeds(jobs)
        finally:
            progress.finish()

    async def _work(self, jobs: Sequence[Job], put: Callable[[tuple[Job, Answer]], None]) -> None:
        by_server: dict[str, list[Job]] = {}
        for job in jobs:
            by_server.setdefault(job[1].endpoint.url, []).append(job)
        await asyncio.gather(*(self._work_with(url, its, put) for url, its in by_server.items()))

    async def _work_with(self, url: str, jobs: Sequence[Job], put: Callable[[tuple[Job, Answer]], None]) -> None:
        refusals: list[tuple[Job, Refusal]] = []
        async with Server(url, self._time_limit) as server:
            askers = {side.digest: Asker(server, side.endpoint, side.kwargs) for _, side, _ in jobs}

            async def do(job: Job) -> None:
                _, side, request = job
                try:
                    answer = await askers[side.digest].answer(request)
                except Refusal as refusal:
                    refusals.append((job, refusal))
                else:
                    self._answering.add(side.digest)
                    put((job, answer))

            await for_each(_interleaved(jobs), self._at_once, do)
            for job, refusal in refusals:
                # A server that refuses whatever it is asked has another reason than the prompt.
                if job[1].digest not in self._answering:
                    raise await askers[job[1].digest].explained(refusal)
                put((job, refused(refusal)))

    def _see_seeds(self, jobs: Sequence[Job]) -> None:
        """Ask one sample of each model again: whether the same seed draws the same only the server knows."""
        drawn = {side.digest: (side, request) for _, side, request in reversed(jobs) if request.draw is not None}
        for side, request in drawn.values():
            first = side.stored([request])[0]
            if side.fact(SEED) is None and first is not None and first.finish != "unanswered":
                with suppress(Refusal):
                    again = ask_one(side.endpoint, side.kwargs, self._time_limit, methodcaller("answer", request))
                    side.remember(SEED, "kept" if first.text == again.text else "ignored")


AnyInterview = Interview | ServedInterview
"""Whatever asks the sides of a comparison."""


def _distinct(jobs: Iterable[Job]) -> Iterable[Job]:
    """Both sides may be one model, which is asked once."""
    return {(side.digest, request): (name, side, request) for name, side, request in jobs}.values()


def _interleaved(jobs: Sequence[Job]) -> Iterator[Job]:
    """Both sides in turn, so that a run which is interrupted knows as much of the one as of the other."""
    by_side: dict[SideName, list[Job]] = {}
    for job in jobs:
        by_side.setdefault(job[0], []).append(job)
    queues = list(by_side.values())
    for n in range(max(map(len, queues), default=0)):
        yield from (queue[n] for queue in queues if n < len(queue))
