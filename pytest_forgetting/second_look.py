"""What is asked once both sides have answered: doubtful outcomes anew, and evidence for what happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_forgetting.answers.requests import Request, scored
from pytest_forgetting.answers.sides import LiveSide
from pytest_forgetting.comparison.doubts import is_doubtful, is_half
from pytest_forgetting.comparison.outcomes import CaseResult, RightAnswer
from pytest_forgetting.errors import DoesNotFit
from pytest_forgetting.grading.thoughts import without_thoughts

if TYPE_CHECKING:
    from pytest_forgetting.answers.answer import Answer
    from pytest_forgetting.answers.interview import Interview, Progress
    from pytest_forgetting.answers.sides import Side, SideName
    from pytest_forgetting.comparison.outcomes import Judged
    from pytest_forgetting.suites.cases import Case

    Judge = Callable[[Case, Sequence[Answer]], Judged]


@dataclass
class SecondLook:
    """Asks both models more, and adds to results what is known from it; all of it is kept in the store."""

    baseline: LiveSide
    model: LiveSide
    interview: Interview
    judge: Judge
    notes: list[str] = field(default_factory=list)
    """What could not be asked, and why."""

    def ask(self, results: Sequence[CaseResult], progress: Progress) -> None:
        """Ask whatever `seen` would like to know about `results`.

        Raises:
            CannotAnswer: a model does not load.
        """
        self._confirm([result for result in results if self._doubts(result)], progress)
        forgotten = _forgotten(self._confirmed(results))
        self.interview.ask_requests(
            {"baseline": _evidence(self.baseline, forgotten), "model": _evidence(self.model, forgotten)}, progress
        )
        self.interview.measure_divergence([self._text(result) for result in _measured(results)], progress)

    def seen(self, results: Sequence[CaseResult]) -> list[CaseResult]:
        """The same with what is known from a second look: confirmed outcomes, log-likelihoods, divergences."""
        return self._with_divergence(self._with_evidence(self._confirmed(results)))

    def _doubts(self, result: CaseResult) -> bool:
        half = is_half(self.baseline.participant, self.model.participant)
        return is_doubtful(result, half_precision=half)

    def _confirm(self, doubtful: Sequence[CaseResult], progress: Progress) -> None:
        wanted: dict[SideName, list[Request]] = {
            "baseline": [request for result in doubtful for request in self.baseline.requests(result.case)],
            "model": [request for result in doubtful for request in self.model.requests(result.case)],
        }
        try:
            self.interview.ask_requests(wanted, progress, anew=True)
        except DoesNotFit as error:
            self.notes.append(f"outcomes that rounding may have decided could not be asked again: {error}")

    def _confirmed(self, results: Sequence[CaseResult]) -> list[CaseResult]:
        doubtful = [result for result in results if self._doubts(result)]
        cases = [result.case for result in doubtful]
        pairs = zip(self.baseline.anew.answers(cases), self.model.anew.answers(cases), strict=True)
        return _put(
            results,
            {
                id(first): replace(
                    first, baseline=self.judge(first.case, had), model=self.judge(first.case, has), first=first.outcome
                )
                for first, (had, has) in zip(doubtful, pairs, strict=True)
                if had is not None and has is not None
            },
        )

    def _with_evidence(self, results: Sequence[CaseResult]) -> list[CaseResult]:
        forgotten = _forgotten(results)
        had, has = (side.stored(_evidence(side, forgotten)) for side in (self.baseline, self.model))
        return _put(
            results,
            {
                id(result): replace(result, right=RightAnswer(_wanted(result) or "", before, now))
                for result, before, now in zip(forgotten, map(_nats, had), map(_nats, has), strict=True)
                if before is not None and now is not None
            },
        )

    def _with_divergence(self, results: Sequence[CaseResult]) -> list[CaseResult]:
        measured = _measured(results)
        known = self.interview.divergences([self._text(result) for result in measured])
        return _put(
            results,
            {
                id(result): replace(result, divergence=answer.loglikelihoods[0], tokens=int(answer.loglikelihoods[1]))
                for result, answer in zip(measured, known, strict=True)
                if answer is not None and answer.finish == "scored"
            },
        )

    def _text(self, result: CaseResult) -> Request:
        return self.model.requests(result.case)[0]


def second_look(sides: Mapping[SideName, Side], interview: Interview | None, judge: Judge) -> SecondLook | None:
    """How to look again; None where a side cannot be asked, or where both are one model."""
    baseline, model = sides["baseline"], sides["model"]
    if interview is None or not (isinstance(baseline, LiveSide) and isinstance(model, LiveSide)):
        return None
    return None if baseline.digest == model.digest else SecondLook(baseline, model, interview, judge)


def _put(results: Sequence[CaseResult], changed: Mapping[int, CaseResult]) -> list[CaseResult]:
    return [changed.get(id(result), result) for result in results]


def _measured(results: Sequence[CaseResult]) -> list[CaseResult]:
    return [result for result in results if result.outcome == "measured"]


def _forgotten(results: Sequence[CaseResult]) -> list[CaseResult]:
    """Those of which it can be asked how likely the right answer still is."""
    return [result for result in results if result.outcome == "forgotten" and _wanted(result) is not None]


def _wanted(result: CaseResult) -> str | None:
    """The right answer as a text: the first accepted one, or where there are checks what the baseline said.

    None where there is none to be scored: a pattern, or choices, whose likelihoods are known anyway.
    """
    case = result.case
    if case.choices or case.match == "regex":
        return None
    if case.expected:
        return case.expected[0]
    return without_thoughts(result.baseline.answer).strip() or None


def _evidence(side: LiveSide, forgotten: Sequence[CaseResult]) -> list[Request]:
    return [_how_likely(side.requests(result.case)[0], _wanted(result) or "") for result in forgotten]


def _how_likely(request: Request, text: str) -> Request:
    """Behind plain text an answer begins with a blank, as behind ``Answer:``, unless one stands there already."""
    joined = request.text is not None and not request.text[-1:].isspace()
    return scored(request, f" {text}" if joined else text)


def _nats(answer: Answer | None) -> float | None:
    return answer.loglikelihoods[0] if answer is not None and answer.finish == "scored" else None
