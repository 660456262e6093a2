"""A side that is a function of the caller's, from prompts to texts."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence, Sized
from inspect import isawaitable
from itertools import islice
from typing import TYPE_CHECKING, Any

from pytest_forgetting.answers.answer import Answer, first_part
from pytest_forgetting.answers.requests import Request, requests_for
from pytest_forgetting.comparison.participants import Participant
from pytest_forgetting.errors import CannotAnswer, ForgettingError, WrongUsage
from pytest_forgetting.models.source import Source

if TYPE_CHECKING:
    from pytest_forgetting.answers.progress import Progress
    from pytest_forgetting.suites.cases import Case, Suite

PROMPTS_AT_ONCE = 32
"""Where the caller does not say otherwise (`batch_size`)."""

Texts = Callable[[list[str]], Iterable[str]]
"""From a list of prompts to as many texts."""


class CalledSide:
    """Answers are kept for this comparison only: what a function says may change from call to call."""

    def __init__(self, participant: Participant, function: Texts, batch_size: int | None) -> None:
        """Nothing is asked yet.

        Args:
            participant: what reports call it.
            function: takes a list of prompts and gives as many texts.
            batch_size: prompts at once.
        """
        self.participant = participant
        self.source = Source(participant)
        self._function = function
        self._batch_size = batch_size or PROMPTS_AT_ONCE
        self._answers: dict[Request, Answer] = {}

    def requests(self, case: Case) -> tuple[Request, ...]:
        """What it is asked for `case`: plain text."""
        return requests_for(case.prompt, chat=False)

    def recall(self, suite: Suite, cases: Sequence[Case]) -> list[tuple[Answer, ...] | None]:  # noqa: ARG002 - as Side
        """What it has said, in the order of `cases`."""
        asked = [self.requests(case) for case in cases]
        return [
            tuple(self._answers[request] for request in requests) if self._answers.keys() >= set(requests) else None
            for requests in asked
        ]

    def stored(self, requests: Sequence[Request]) -> list[Answer | None]:
        """What it has said, in the order of `requests`."""
        return [self._answers.get(request) for request in requests]

    def see_answerable(self, suites: Iterable[Suite]) -> None:
        """See that none of `suites` wants log-likelihoods.

        Raises:
            WrongUsage: one does.
        """
        for suite in suites:
            if suite.kind in ("choice", "text"):
                raise WrongUsage(
                    f"{suite.nodeid or suite.name}: a {suite.kind} suite goes by log-likelihoods, which the function"
                    f" {self.participant.ref} cannot give; name a model, or leave this suite out"
                )

    def ask(self, name: str, cases: Iterable[Case], progress: Progress) -> None:
        """Ask what it was not asked yet, once for each sample.

        Raises:
            CannotAnswer: it raises.
            WrongUsage: what it returns are not as many texts.
        """
        wanted = dict.fromkeys(request for case in cases for request in self.requests(case))
        missing = [request for request in wanted if request not in self._answers]
        if not missing:
            return
        progress.start(name, len(missing))
        try:
            for start in range(0, len(missing), self._batch_size):
                batch = missing[start : start + self._batch_size]
                self._answers.update(zip(batch, map(_answer, self._texts(batch), batch), strict=True))
                progress.advance(len(batch))
        finally:
            progress.finish()

    def _texts(self, requests: Sequence[Request]) -> list[str]:
        prompts = [request.text or "" for request in requests]
        try:
            texts = _listed(self._function(list(prompts)), len(prompts) + 1)
        except ForgettingError:
            raise
        except Exception as error:  # it is somebody else's code: it may raise whatever it likes
            raise CannotAnswer(f"{self.participant.ref} raised {type(error).__name__}: {_first_line(error)}") from error
        return self._checked(texts, prompts)

    def _checked(self, texts: Any, prompts: Sequence[str]) -> list[str]:
        who = self.participant.ref
        if isawaitable(texts):
            raise WrongUsage(f"{who} is asynchronous; wanted a function that waits: lambda prompts: asyncio.run(…)")
        if not isinstance(texts, list):
            raise WrongUsage(f"{who} returned {_shown(texts)} for {len(prompts)} prompts; wanted a list of texts")
        if len(texts) != len(prompts):
            raise WrongUsage(f"{who} returned {len(texts)} texts for {len(prompts)} prompts; wanted one for each")
        for text, prompt in zip(texts, prompts, strict=True):
            if not isinstance(text, str):
                raise WrongUsage(f"{who} returned {_shown(text)} for the prompt {prompt!r:.60}; wanted a text")
        return texts


def _listed(said: Any, most: int) -> Any:
    """What a function gave as a list, as far as it is one; no more than `most` of what may never end."""
    if isinstance(said, Coroutine):
        said.close()  # nobody will wait for it, and Python need not complain of that
    if not isinstance(said, Iterable) or isinstance(said, str | bytes | Mapping):
        return said
    return list(said if isinstance(said, Sized) else islice(said, most))


def called_ref(function: Callable[..., Any]) -> str:
    """What reports call a function: ``ask in my_module``."""
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return f"{name} in {getattr(function, '__module__', None) or type(function).__module__}"


def _answer(text: str, request: Request) -> Answer:
    """Cut at a stop string, as a model's answer is."""
    before = first_part(text, request.stop)
    return Answer(text, "eos") if before is None else Answer(before, "stop")


def _shown(value: object) -> str:
    return f"{value!r:.60} ({type(value).__name__})"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else "no reason given"
