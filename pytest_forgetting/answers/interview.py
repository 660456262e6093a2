"""Asking live models what the store does not know yet, one process at a time per device."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.importing import importing
from pytest_forgetting.answers.opening_findings import FORMS, form_of, opening_fact, remember
from pytest_forgetting.answers.requests import Request, key
from pytest_forgetting.answers.sides import LiveSide, SideName, StoredSide
from pytest_forgetting.answers.slot import slot_at
from pytest_forgetting.answers.store import Store
from pytest_forgetting.answers.watching import Progress, Watched
from pytest_forgetting.errors import CannotAnswer, ForgettingError

if TYPE_CHECKING:
    from pytest_forgetting.models.loading import LoadedModel, LoadedPair
    from pytest_forgetting.suites.cases import Case

Wanted = Mapping[SideName, Sequence[Request]]


@dataclass
class Effort:
    """What asking cost in this process."""

    seconds: dict[SideName, float] = field(default_factory=lambda: {"baseline": 0.0, "model": 0.0})
    computed: dict[SideName, int] = field(default_factory=lambda: {"baseline": 0, "model": 0})


class Interview:
    """Computes missing answers and stores them, holding the device's slot while a model is resident."""

    def __init__(
        self,
        sides: Mapping[SideName, LiveSide],
        load: Callable[[], LoadedPair],
        store: Store,
        slot: Path,
        batch_size: int | None,
    ) -> None:
        """Prepare; nothing is loaded before something is asked.

        Args:
            sides: the sides that can be asked.
            load: gives the pair of models; itself lazy per side.
            store: takes the answers, batch by batch.
            slot: lock file of the device.
            batch_size: rows at once, None for as many as fit.
        """
        self._sides = sides
        self._load = load
        self._store = store
        self._slot = slot_at(slot)
        self._batch_size = batch_size
        self._pair: LoadedPair | None = None
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
                if self._slot.take(self):
                    for name in missing:
                        # Looked up again, side by side: others may have answered, and two sides may be one model.
                        for requests in missing_of(sides, {name: missing[name]}).values():
                            self._ask_side(name, sides[name], requests, progress)
                            computed[name].update(requests)
                    break
        return computed

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """Threads ask one after the other; whoever has what it wanted no longer waits for the device."""
        with self._slot.one_at_a_time:
            try:
                yield
            finally:
                self._slot.stop_waiting()

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
        with self._in_turn():
            while missing := [t for t, known in zip(texts, self.divergences(texts), strict=True) if known is None]:
                if self._slot.take(self):
                    self._diverge(missing, progress)
                    break

    def _divergence_key(self, text: Request) -> bytes:
        return key(b"divergence".join(side.digest for _, side in sorted(self._sides.items())), text)

    def _diverge(self, texts: Sequence[Request], progress: Progress) -> None:
        from pytest_forgetting.answers.divergence import APART, diverge

        def keep(text: Request, answer: Answer) -> None:
            self._store.keep({self._divergence_key(text): answer})
            progress.advance(1)

        try:
            pair = self._loading("model", progress)
            fits = pair.fits_together()
            progress.start("divergence", len(texts))
            if fits:
                diverge(pair, texts, {name: side.conditions for name, side in self._sides.items()}, keep)
            else:
                for text in texts:
                    keep(text, Answer("", "unanswered", reason=APART))
        finally:
            progress.finish()

    def give_way(self) -> None:
        """Free the models for another process that waits for the device; they are loaded anew when they are needed."""
        self._slot.give_way(self)

    def free(self) -> None:
        """Let go of the models."""
        if self._pair is not None:
            self._pair.free()
            self._pair = None

    def close(self) -> None:
        """Free the models and let others onto the device."""
        self._pair = None
        self._slot.leave(self)

    def _loading(self, name: SideName, progress: Progress) -> LoadedPair:
        """The pair, of which the side `name` is about to speak: it may have to be loaded first."""
        self._pair = self._pair or self._load()
        if not self._pair.holds(name):
            progress.load(self._sides[name].participant.ref)
        return self._pair

    def _ask_side(self, name: SideName, side: LiveSide, requests: list[Request], progress: Progress) -> None:
        started = time.perf_counter()
        try:
            pair = self._loading(name, progress)
            with importing():
                from pytest_forgetting.answers.asking import ask
                from pytest_forgetting.models import resident  # noqa: F401 - imported on loading, which is collected

            with pair.speaking(name) as loaded:
                watched = Watched(side, requests, progress, self._label(name, side))
                ask(
                    loaded,
                    requests,
                    side.conditions,
                    watched.deliver,
                    self._batch_size,
                    fixed=side.in_fixed_batches,
                    drafts=self._drafts(name, side, requests),
                    plan=watched.begin,
                )
                self._note_effect(name, side, loaded, requests)
                if not side.in_fixed_batches:
                    self._note_openings(side, loaded, requests)
        except ForgettingError:
            raise
        except Exception as error:  # a model's own code, and hooks in it, may raise whatever they like
            told = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason given'}"
            raise CannotAnswer(f"{side.participant.ref} failed while it was asked: {told}") from error
        finally:
            self.effort.seconds[name] += time.perf_counter() - started
            progress.finish()
        self._note_loading(pair.notes)

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

    def _note_loading(self, notes: Sequence[str]) -> None:
        """Keep what is odd about how the models were loaded: a run that finds all answers stored tells it as well."""
        fact = loading_fact(self._sides)
        told = loading_notes(self._store, self._sides)
        if more := [note for note in notes if note not in told]:
            self._store.remember(fact, json.dumps([*told, *more]))

    def _note_effect(self, name: SideName, side: LiveSide, loaded: LoadedModel, requests: list[Request]) -> None:
        """Find out once per adapter whether it changes the logits at all, and keep that with the answers."""
        fact = effect_fact(side)
        if name == "model" and hasattr(loaded.model, "disable_adapter") and self._store.fact(fact) is None:
            from pytest_forgetting.answers.effect import adapter_changes_logits

            changed = adapter_changes_logits(loaded, requests[:8], side.conditions)
            self._store.remember(fact, "changes logits" if changed else NO_EFFECT)

    def _note_openings(self, side: LiveSide, loaded: LoadedModel, requests: list[Request]) -> None:
        """Find out once per side and form of prompt what the model reads before it."""
        from pytest_forgetting.answers.openings import opening

        for form in FORMS:
            asked = [request for request in requests if form_of(request) == form]
            if asked and self._store.fact(opening_fact(side, form)) is None:
                seen = opening(loaded, asked, side.conditions)
                if seen is not None:
                    remember(self._store, side, form, seen)


def missing_of(sides: Mapping[SideName, StoredSide], wanted: Wanted) -> dict[SideName, list[Request]]:
    """What is wanted and not stored, each request once."""
    missing: dict[SideName, list[Request]] = {}
    for name, requests in wanted.items():
        distinct = list(dict.fromkeys(requests))
        unknown = [r for r, a in zip(distinct, sides[name].stored(distinct), strict=True) if a is None]
        if unknown:
            missing[name] = unknown
    return missing


def loading_fact(sides: Mapping[SideName, LiveSide]) -> str:
    """Name of the stored fact about how the models of `sides` were loaded."""
    return "loading:" + ":".join(side.digest.hex() for _, side in sorted(sides.items()))


def loading_notes(store: Store, sides: Mapping[SideName, LiveSide]) -> list[str]:
    """What a reader of the report should know about how they were loaded."""
    return list(json.loads(store.fact(loading_fact(sides)) or "[]"))


NO_EFFECT = "no effect"


def effect_fact(side: LiveSide) -> str:
    """Name of the stored fact about what a side's adapter does."""
    return f"adapter:{side.conditions.fingerprint}:{side.conditions.dtype}"
