"""Asking live models what the store does not know yet, one process at a time per device."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.division import Division, Key, Share
from pytest_forgetting.answers.engine import DivergenceTask, Engine, Noted, Task
from pytest_forgetting.answers.facts import NO_EFFECT, effect_fact, note_loading
from pytest_forgetting.answers.progress import Progress, Watched
from pytest_forgetting.answers.requests import Request, key
from pytest_forgetting.answers.sides import LiveSide, SideName, StoredSide
from pytest_forgetting.answers.slot import ONE_AT_A_TIME, POLL, Slots
from pytest_forgetting.answers.special_token_findings import (
    FORMS,
    form_of,
    remember_special_tokens,
    special_tokens_fact,
)
from pytest_forgetting.answers.store import Store

if TYPE_CHECKING:
    from pytest_forgetting.suites.cases import Case

Wanted = Mapping[SideName, Sequence[Request]]
Missing = Callable[[], list[Request]]
LOOKED_AT = 8
"""Requests on which is found out what is found out by the way."""


@dataclass
class Effort:
    """What asking cost in this process."""

    seconds: dict[SideName, float] = field(default_factory=lambda: {"baseline": 0.0, "model": 0.0})
    computed: dict[SideName, int] = field(default_factory=lambda: {"baseline": 0, "model": 0})


class Interview:
    """Gets missing answers and stores them, holding a device's slot while a model is resident on it."""

    def __init__(self, sides: Mapping[SideName, LiveSide], engine: Engine, store: Store, slots: Slots) -> None:
        """Prepare; nothing is loaded before something is asked.

        Args:
            sides: the sides that can be asked.
            engine: computes their answers.
            store: takes the answers, batch by batch.
            slots: of the devices on which the engine may compute.
        """
        self._sides = sides
        self._engine = engine
        self._store = store
        self._slots = slots
        self.effort = Effort()

    def ask(self, cases: Sequence[Case], progress: Progress) -> None:
        """Compute and store what the store lacks of the answers to `cases`, less what another process adds meanwhile.

        Raises:
            CannotAnswer: a model does not load, or memory does not suffice.
        """
        asked = {name: [side.requests(case) for case in cases] for name, side in self._sides.items()}
        for name, computed in self.ask_requests(
            {name: [request for requests in each for request in requests] for name, each in asked.items()}, progress
        ).items():
            self.effort.computed[name] += sum(not computed.isdisjoint(requests) for requests in set(asked[name]))

    def ask_requests(self, wanted: Wanted, progress: Progress, *, anew: bool = False) -> dict[SideName, set[Request]]:
        """The same for requests of whatever kind; which of them this process has computed.

        Args:
            wanted: what each side is asked.
            progress: told about it.
            anew: ask again what was answered already, in batches of one shape.

        Raises:
            CannotAnswer: a model does not load, or memory does not suffice.
        """
        sides = {name: side.anew if anew else side for name, side in self._sides.items() if name in wanted}
        computed: dict[SideName, set[Request]] = {name: set() for name in wanted}
        with self._in_turn():
            while missing := missing_of(sides, wanted):
                if self._has_a_device():
                    # One side after the other: others may have answered meanwhile, and two sides may be one model.
                    done = {name: self._ask_side(name, sides[name], wanted[name], progress) for name in missing}
                    for name, requests in done.items():
                        computed[name] |= requests
                    if not any(done.values()):
                        time.sleep(POLL)  # all that is missing is being answered by others
        return computed

    def _has_a_device(self) -> bool:
        devices = self._slots.take(self)
        if devices:
            self._engine.settle([device.torch for device in devices])
        return bool(devices)

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """Threads ask one after the other; whoever has what it wanted no longer waits for the device."""
        with ONE_AT_A_TIME:
            try:
                yield
            finally:
                self._slots.stop_waiting(self)

    @contextmanager
    def apart(self) -> Iterator[Effort]:
        """Count what asking costs within the block by itself."""
        before, self.effort = self.effort, Effort()
        try:
            yield self.effort
        finally:
            self.effort = before

    @property
    def both_sides(self) -> bool:
        """Whether both models can be asked."""
        return len(self._sides) == 2

    def divergences(self, texts: Sequence[Request]) -> list[Answer | None]:
        """What is known of the divergence of the two models on each of `texts`: (nats, tokens) as scores."""
        keys = [self._divergence_key(text) for text in texts]
        known = self._store.recall(keys)
        return [known.get(each) for each in keys]

    def measure_divergence(self, texts: Sequence[Request], progress: Progress) -> None:
        """Compute and store what is not known of the divergence of the two models on `texts`.

        Raises:
            CannotAnswer: a model does not load.
        """
        tried: set[Request] = set()

        def missing() -> list[Request]:
            known = zip(texts, self.divergences(texts), strict=True)
            return [text for text, divergence in known if divergence is None and text not in tried]

        with self._in_turn():
            while missing():
                if self._has_a_device() and not self._measure_shares(missing, tried, progress):
                    time.sleep(POLL)

    def _divergence_key(self, text: Request) -> bytes:
        return key(b"divergence".join(side.digest for _, side in sorted(self._sides.items())), text)

    def _keep_divergences(self, measured: Mapping[Request, Answer]) -> None:
        self._store.keep({self._divergence_key(text): answer for text, answer in measured.items()})

    def _measure_shares(self, missing: Missing, tried: set[Request], progress: Progress) -> bool:
        """Measure shares of what is missing; whether there were any that nobody else measures.

        What memory does not suffice for is among `tried`, and not tried again.
        """

        conditions = {name: side.conditions for name, side in self._sides.items()}
        begun = False
        try:
            for texts, _ in self._shares(missing, self._divergence_key):
                begun = True
                self._tell_loading("model", progress)
                watched = Watched(self._keep_divergences, texts, progress, "divergence")
                notes = self._engine.measure_divergence(DivergenceTask(tuple(texts), conditions), watched)
                note_loading(self._store, self._sides, notes)
                tried.update(texts)
        finally:
            if begun:
                progress.finish()
        return begun

    def give_way(self) -> None:
        """Free the models for another process that waits for the device; they are loaded anew when they are needed."""
        self._slots.give_way(self)

    def free(self) -> None:
        """Let go of the models."""
        self._engine.free()

    def close(self) -> None:
        """Free the models and let others onto the device."""
        self._slots.leave(self)

    def _tell_loading(self, name: SideName, progress: Progress) -> None:
        if not self._engine.is_ready(name):
            progress.load(self._sides[name].participant.ref)

    def _shares(self, missing: Missing, key_of: Key) -> Iterator[Share]:
        """All that is missing where one process asks; else what nobody else asks, share by share."""
        if not self._slots.places.several:
            return iter([Share(requests, 0)] if (requests := missing()) else [])
        return Division(self._store.folder / "claims", len(self._slots.places.devices)).shares(missing, key_of)

    def _ask_side(self, name: SideName, side: LiveSide, wanted: Sequence[Request], progress: Progress) -> set[Request]:
        """Ask one side what nobody else asks it; what that was."""
        started = time.perf_counter()
        computed: set[Request] = set()
        begun = False
        try:
            for requests, left in self._shares(partial(_unanswered, side, wanted), partial(key, side.digest)):
                begun = True
                self._tell_loading(name, progress)
                ahead = 1 + left / len(self._slots.places.devices) / len(requests)
                watched = Watched(side.keep, requests, progress, self._label(name, side), ahead)
                self._remember(side, self._engine.ask(self._task(name, side, requests, wanted), watched))
                computed.update(requests)
        finally:
            self.effort.seconds[name] += time.perf_counter() - started
            if begun:
                progress.finish()
        return computed

    def _task(self, name: SideName, side: LiveSide, requests: list[Request], wanted: Sequence[Request]) -> Task:
        """What the engine is told to do. What is to be found out by the way does not depend on how work is divided."""
        effect = name == "model" and self._store.fact(effect_fact(side)) is None
        of_forms = {form: [request for request in wanted if form_of(request) == form] for form in FORMS}
        return Task(
            name,
            side.participant.ref,
            side.conditions,
            tuple(requests),
            fixed=side.in_fixed_batches,
            drafts=self._drafts(name, side, requests),
            effect=tuple(wanted[:LOOKED_AT]) if effect else (),
            forms={
                form: tuple(asked[:LOOKED_AT])
                for form, asked in of_forms.items()
                if asked and not side.in_fixed_batches and self._store.fact(special_tokens_fact(side, form)) is None
            },
        )

    def _label(self, name: SideName, side: LiveSide) -> str:
        return name if side is self._sides[name] else f"{name}, once more:"

    def _drafts(self, name: SideName, side: LiveSide, requests: Sequence[Request]) -> dict[int, tuple[int, ...]]:
        """What the baseline said, as far as the model may say the same.

        In half precision a token that is checked among others is rounded otherwise than one that is decoded by itself,
        as it is in a batch of another size: what differs for that is among what both sides are asked again.
        """
        if name != "model" or not self.both_sides or side.in_fixed_batches:
            return {}
        known = self._sides["baseline"].stored(requests)
        return {n: answer.tokens for n, answer in enumerate(known) if answer is not None and answer.tokens}

    def _remember(self, side: LiveSide, noted: Noted) -> None:
        """Keep with the answers what was found out by the way: a run that finds all stored tells it as well."""
        if noted.effect is not None:
            self._store.remember(effect_fact(side), "changes logits" if noted.effect else NO_EFFECT)
        for form, seen in noted.special_tokens.items():
            remember_special_tokens(self._store, side, form, seen)
        note_loading(self._store, self._sides, noted.notes)


def _unanswered(side: StoredSide, requests: Sequence[Request]) -> list[Request]:
    distinct = list(dict.fromkeys(requests))
    return [request for request, known in zip(distinct, side.stored(distinct), strict=True) if known is None]


def missing_of(sides: Mapping[SideName, StoredSide], wanted: Wanted) -> dict[SideName, list[Request]]:
    """What is wanted and not stored, each request once."""
    missing = {name: _unanswered(sides[name], requests) for name, requests in wanted.items()}
    return {name: requests for name, requests in missing.items() if requests}
