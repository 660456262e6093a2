"""The two sides of a comparison, as far as their answers are at hand without asking anybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Literal, Protocol

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.recording import Recording
from pytest_forgetting.answers.requests import Conditions, Request, key, requests_for
from pytest_forgetting.answers.store import Store
from pytest_forgetting.comparison.participants import Participant
from pytest_forgetting.models.source import Source, template_digest
from pytest_forgetting.suites.cases import Case, Suite

SideName = Literal["baseline", "model"]
Answers = tuple[Answer, ...]
"""To one case: one, or as many as were drawn."""


class Side(Protocol):
    """One of the two that are compared."""

    @property
    def participant(self) -> Participant:
        """Who it is."""

    @property
    def source(self) -> Source:
        """Who it is, and what else all its answers have in common."""

    def requests(self, case: Case) -> tuple[Request, ...]:
        """What this side is asked for `case`: once, or as often as answers are to be drawn."""

    def stored(self, requests: Sequence[Request]) -> list[Answer | None]:
        """The answers at hand, in the order of `requests`; a recording holds those to right answers' likelihoods."""

    def recall(self, suite: Suite, cases: Sequence[Case]) -> list[Answers | None]:
        """The answers at hand, in the order of `cases`; None where one of a case is not."""


class StoredSide:
    """One whose answers are recalled from the store, where somebody keeps them."""

    def __init__(self, participant: Participant, digest: bytes, store: Store) -> None:
        """Bind it to the store.

        Args:
            participant: who is asked.
            digest: of all that its answers depend on beside the request.
            store: where they are kept.
        """
        self.participant = participant
        self.digest = digest
        self._store = store

    @property
    def source(self) -> Source:
        """Who it is, and what else all its answers have in common."""
        raise NotImplementedError

    def requests(self, case: Case) -> tuple[Request, ...]:
        """What this side is asked for `case`."""
        return requests_for(case.prompt, chat=self.source.asks_chat(case.prompt))

    def recall(self, suite: Suite, cases: Sequence[Case]) -> list[Answers | None]:  # noqa: ARG002 - recordings need it
        """The stored answers, in the order of `cases`."""
        return self.answers(cases)

    def answers(self, cases: Sequence[Case]) -> list[Answers | None]:
        """The same, whatever suites the cases are of."""
        asked = [self.requests(case) for case in cases]
        found = iter(self.stored([request for requests in asked for request in requests]))
        return [_complete([next(found) for _ in requests]) for requests in asked]

    def stored(self, requests: Sequence[Request]) -> list[Answer | None]:
        """The stored answers, in the order of `requests`."""
        keys = [key(self.digest, request) for request in requests]
        found = self._store.recall(keys)
        return [found.get(each) for each in keys]

    def keep(self, answers: dict[Request, Answer]) -> None:
        """Store what was just answered."""
        self._store.keep({key(self.digest, request): answer for request, answer in answers.items()})

    def take_over(self, answers: Mapping[Request, Answer]) -> None:
        """Know `answers` for this run, as far as the store lacks them."""
        self._store.lend({key(self.digest, request): answer for request, answer in answers.items()})


class LiveSide(StoredSide):
    """A model that can be asked here."""

    def __init__(
        self,
        participant: Participant,
        conditions: Conditions,
        store: Store,
        *,
        base: str | None = None,
        in_fixed_batches: bool = False,
    ) -> None:
        """Bind a model's conditions to the store.

        Args:
            participant: who is asked.
            conditions: what its answers depend on.
            store: where they are kept.
            base: fingerprint of the model that it stands on as an adapter.
            in_fixed_batches: it is asked in batches of one shape; such answers are kept apart.
        """
        super().__init__(participant, conditions.digest() + (b"fixed" if in_fixed_batches else b""), store)
        self.conditions = conditions
        self._base = base
        self.in_fixed_batches = in_fixed_batches

    @cached_property
    def anew(self) -> LiveSide:
        """The same side, asked again in batches of one shape, so that rounding is the same whatever else is asked."""
        return LiveSide(self.participant, self.conditions, self._store, base=self._base, in_fixed_batches=True)

    @cached_property
    def source(self) -> Source:
        """Who it is, and what else all its answers have in common."""
        asked = self.conditions
        template = None if asked.chat_template is None else template_digest(asked.chat_template)
        kwargs = asked.chat_template_kwargs
        return Source(self.participant, template, kwargs, asked.quantization, asked.versions, self._base)


class RecordedSide:
    """A recording: everything is at hand, nothing can be asked."""

    def __init__(self, recording: Recording) -> None:
        """Let `recording` speak."""
        self.recording = recording
        self.source = recording.source
        self.participant = recording.source.participant

    def requests(self, case: Case) -> tuple[Request, ...]:
        """How the recorded model was asked `case`."""
        return self.recording.requests(case)

    def recall(self, suite: Suite, cases: Sequence[Case]) -> list[Answers | None]:
        """The recorded answers, in the order of `cases`."""
        return [self.recording.recall(suite.name, case) for case in cases]

    def stored(self, requests: Sequence[Request]) -> list[Answer | None]:
        """How likely right answers were held, as far as it was recorded."""
        return [self.recording.likelihoods.get(request) for request in requests]

    def misfits(self, suite: str, cases: Sequence[Case]) -> list[str]:
        """What differs between the recording and all `cases` of suites named `suite`."""
        return self.recording.misfits(suite, cases)


def _complete(answers: Sequence[Answer | None]) -> Answers | None:
    known = tuple(answer for answer in answers if answer is not None)
    return known if len(known) == len(answers) else None
