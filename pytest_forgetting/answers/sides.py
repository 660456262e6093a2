"""The two sides of a comparison, as far as their answers are at hand without asking anybody."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import Literal, Protocol

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.requests import Conditions, Request, key, requests_for
from pytest_forgetting.answers.store import Store
from pytest_forgetting.comparison.comparison import Participant
from pytest_forgetting.models.recording import Recording
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
    def template_hash(self) -> str | None:
        """Hash of the chat template it is asked through, None for plain text."""

    def requests(self, case: Case) -> tuple[Request, ...]:
        """What this side is asked for `case`: once, or as often as answers are to be drawn."""

    def recall(self, suite: Suite, cases: Sequence[Case]) -> list[Answers | None]:
        """The answers at hand, in the order of `cases`; None where one of a case is not."""


class LiveSide:
    """A model that can be asked; its answers are recalled from the store."""

    def __init__(
        self, participant: Participant, conditions: Conditions, store: Store, *, in_fixed_batches: bool = False
    ) -> None:
        """Bind a model's conditions to the store.

        Args:
            participant: who is asked.
            conditions: what its answers depend on.
            store: where they are kept.
            in_fixed_batches: it is asked in batches of one shape; such answers are kept apart.
        """
        self.participant = participant
        self.conditions = conditions
        self._store = store
        self.in_fixed_batches = in_fixed_batches
        self.digest = conditions.digest() + (b"fixed" if in_fixed_batches else b"")

    @cached_property
    def anew(self) -> LiveSide:
        """The same side, asked again in batches of one shape, so that rounding is the same whatever else is asked."""
        return LiveSide(self.participant, self.conditions, self._store, in_fixed_batches=True)

    @property
    def template_hash(self) -> str | None:
        """Hash of the chat template it is asked through, None for plain text."""
        template = self.conditions.chat_template
        return None if template is None else hashlib.sha256(template.encode()).hexdigest()

    def requests(self, case: Case) -> tuple[Request, ...]:
        """What this side is asked for `case`."""
        return requests_for(case.prompt, chat=self.conditions.chat_template is not None)

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


class RecordedSide:
    """A recording: everything is at hand, nothing can be asked."""

    def __init__(self, recording: Recording) -> None:
        """Let `recording` speak."""
        self._recording = recording
        self.participant = recording.participant
        self.template_hash = recording.chat_template

    def requests(self, case: Case) -> tuple[Request, ...]:
        """How the recorded model was asked `case`."""
        return self._recording.requests(case)

    def recall(self, suite: Suite, cases: Sequence[Case]) -> list[Answers | None]:
        """The recorded answers, in the order of `cases`."""
        return [self._recording.recall(suite.name, case) for case in cases]

    def misfits(self, suite: str, cases: Sequence[Case]) -> list[str]:
        """What differs between the recording and all `cases` of suites named `suite`."""
        return self._recording.misfits(suite, cases)


def _complete(answers: Sequence[Answer | None]) -> Answers | None:
    known = tuple(answer for answer in answers if answer is not None)
    return known if len(known) == len(answers) else None
