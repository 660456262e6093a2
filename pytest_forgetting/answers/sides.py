"""The two sides of a comparison, as far as their answers are at hand without asking anybody."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal, Protocol

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.requests import Conditions, Request, key, request_for
from pytest_forgetting.answers.store import Store
from pytest_forgetting.comparison.comparison import Participant
from pytest_forgetting.models.recording import Recording
from pytest_forgetting.suites.cases import Case, Suite

SideName = Literal["baseline", "model"]


class Side(Protocol):
    """One of the two that are compared."""

    @property
    def participant(self) -> Participant:
        """Who it is."""

    @property
    def template_hash(self) -> str | None:
        """Hash of the chat template it is asked through, None for plain text."""

    def request(self, case: Case) -> Request:
        """What this side is asked for `case`."""

    def recall(self, suite: Suite, cases: Sequence[Case]) -> list[Answer | None]:
        """The answers at hand, in the order of `cases`."""


class LiveSide:
    """A model that can be asked; its answers are recalled from the store."""

    def __init__(self, participant: Participant, conditions: Conditions, store: Store) -> None:
        """Bind a model's conditions to the store."""
        self.participant = participant
        self.conditions = conditions
        self._store = store
        self._digest = conditions.digest()

    @property
    def template_hash(self) -> str | None:
        """Hash of the chat template it is asked through, None for plain text."""
        template = self.conditions.chat_template
        return None if template is None else hashlib.sha256(template.encode()).hexdigest()

    def request(self, case: Case) -> Request:
        """What this side is asked for `case`."""
        return request_for(case.prompt, chat=self.conditions.chat_template is not None)

    def recall(self, suite: Suite, cases: Sequence[Case]) -> list[Answer | None]:  # noqa: ARG002 - recordings need it
        """The stored answers, in the order of `cases`."""
        return self.stored([self.request(case) for case in cases])

    def stored(self, requests: Sequence[Request]) -> list[Answer | None]:
        """The stored answers, in the order of `requests`."""
        keys = [key(self._digest, request) for request in requests]
        found = self._store.recall(keys)
        return [found.get(each) for each in keys]

    def keep(self, answers: dict[Request, Answer]) -> None:
        """Store what was just answered."""
        self._store.keep({key(self._digest, request): answer for request, answer in answers.items()})


class RecordedSide:
    """A recording: everything is at hand, nothing can be asked."""

    def __init__(self, recording: Recording) -> None:
        """Let `recording` speak."""
        self._recording = recording
        self.participant = recording.participant
        self.template_hash = recording.chat_template

    def request(self, case: Case) -> Request:
        """How the recorded model was asked `case`."""
        return self._recording.request(case)

    def recall(self, suite: Suite, cases: Sequence[Case]) -> list[Answer | None]:
        """The recorded answers, in the order of `cases`."""
        return [self._recording.recall(suite.name, case) for case in cases]

    def misfits(self, suite: str, cases: Sequence[Case]) -> list[str]:
        """What differs between the recording and all `cases` of suites named `suite`."""
        return self._recording.misfits(suite, cases)
