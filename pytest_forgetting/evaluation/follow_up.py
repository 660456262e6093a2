"""Follow-up questions once both sides have answered: doubtful outcomes are confirmed, and evidence is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_forgetting.answers.interview import Interview
from pytest_forgetting.answers.requests import Request, scored_behind
from pytest_forgetting.answers.served_interview import AnyInterview, ServedInterview
from pytest_forgetting.answers.sides import LiveSide
from pytest_forgetting.comparison.doubts import is_doubtful, is_half
from pytest_forgetting.comparison.outcomes import CaseResult, RightAnswer
from pytest_forgetting.errors import DoesNotFit
from pytest_forgetting.grading.thoughts import without_thoughts

if TYPE_CHECKING:
    from pytest_forgetting.answers.answer import Answer
    from pytest_forgetting.answers.progress import Progress
    from pytest_forgetting.answers.sides import Side, SideName
    from pytest_forgetting.comparison.outcomes import Graded
    from pytest_forgetting.suites.cases import Case

    Grading = Callable[[Case, Sequence[Answer]], Graded]


@dataclass
class FollowUp:
    """Asks both models more, and adds to results what is known from it; all of it is kept in the store."""

    baseline: Side
    model: Side
    interview: AnyInterview | None
    """None where nobody can be asked: then there is what recordings hold."""
    grade: Grading
    notes: list[str] = field(default_factory=list)
    """What could not be asked, and why."""

    def ask(self, results: Sequence[CaseResult], progress: Progress) -> None:
        """Ask whatever `seen` would like to know about `results`.

        Raises:
            CannotAnswer: a model does not load.
        """
        if self.interview is None:
            return
        self._confirm(self.interview, [result for result in results if self._doubts(result)], progress)
        forgotten = _forgotten(self._confirmed(results))
        scoring = self._scoring(self.interview) if forgotten else {}
        self.interview.ask_requests({name: _evidence(side, forgotten) for name, side in scoring.items()}, progress)
        if isinstance(self.interview, Interview) and self.interview.both_sides:
            self.interview.measure_divergence([self._text(result) for result in _measured(results)], progress)

    def seen(self, results: Sequence[CaseResult]) -> list[CaseResult]:
        """The same with what is known from follow-up questions: confirmed outcomes, log-likelihoods, divergences."""
        return self._with_divergence(self._with_evidence(self._confirmed(results)))

    def _doubts(self, result: CaseResult) -> bool:
        half = is_half(self.baseline.participant, self.model.participant)
        return is_doubtful(result, half_precision=half)

    def _live(self) -> Iterator[tuple[SideName, LiveSide]]:
        sides: dict[SideName, Side] = {"baseline": self.baseline, "model": self.model}
        return ((name, side) for name, side in sides.items() if isinstance(side, LiveSide))

    def _scoring(self, interview: AnyInterview) -> dict[SideName, Side]:
        """Those that can be asked how likely they hold a text."""
        scoring: dict[SideName, Side] = dict(self._live())
        if isinstance(interview, ServedInterview):
            scoring |= interview.scoring()
        return scoring

    def _confirm(self, interview: AnyInterview, doubtful: Sequence[CaseResult], progress: Progress) -> None:
        wanted = {
            name: [request for result in doubtful for request in side.requests(result.case)]
            for name, side in self._live()
        }
        try:
            interview.ask_requests(wanted, progress, anew=True)
        except DoesNotFit as error:
            self.notes.append(f"outcomes that rounding may have decided could not be asked again: {error}")

    def _confirmed(self, results: Sequence[CaseResult]) -> list[CaseResult]:
        doubtful = [result for result in results if self._doubts(result)]
        had = self._anew(self.baseline, doubtful, [result.baseline for result in doubtful])
        has = self._anew(self.model, doubtful, [result.model for result in doubtful])
        return _put(
            results,
            {
                id(first): replace(first, baseline=before, model=now, first=first.outcome)
                for first, before, now in zip(doubtful, had, has, strict=True)
                if before is not None and now is not None
            },
        )

    def _anew(self, side: Side, doubtful: Sequence[CaseResult], first: Sequence[Graded]) -> Sequence[Graded | None]:
        """What one side says in batches of one shape; a recording holds doubtful answers as they were given there."""
        if not isinstance(side, LiveSide):
            return first
        cases = [result.case for result in doubtful]
        given = side.anew.answers(cases)
        return [None if had is None else self.grade(case, had) for case, had in zip(cases, given, strict=True)]

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
        if not isinstance(self.interview, Interview) or not self.interview.both_sides:
            return list(results)
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


def follow_up(sides: Mapping[SideName, Side], interview: AnyInterview | None, grade: Grading) -> FollowUp | None:
    """What asks both sides further; None where they are one model that can be asked."""
    baseline, model = sides["baseline"], sides["model"]
    if isinstance(baseline, LiveSide) and isinstance(model, LiveSide) and baseline.digest == model.digest:
        return None
    return FollowUp(baseline, model, interview, grade)


def _put(results: Sequence[CaseResult], changed: Mapping[int, CaseResult]) -> list[CaseResult]:
    return [changed.get(id(result), result) for result in results]


def _measured(results: Sequence[CaseResult]) -> list[CaseResult]:
    return [result for result in results if result.outcome == "measured"]


def _forgotten(results: Sequence[CaseResult]) -> list[CaseResult]:
    """Those of which it can be asked how likely the right answer still is."""
    return [result for result in results if result.outcome == "forgotten" and _wanted(result) is not None]


def _wanted(result: CaseResult) -> str | None:
    return right_text(result.case, result.baseline)


def right_text(case: Case, baseline: Graded) -> str | None:
    """The right answer as a text: the first accepted one, or where there are checks what the baseline said.

    None where there is none to be scored: a pattern, a text that is measured, or choices, whose likelihoods are known
    anyway; or where there are checks, and `baseline` does not meet them.
    """
    if case.choices or case.match == "regex":
        return None
    if case.expected:
        return case.expected[0]
    return (without_thoughts(baseline.answer).strip() or None) if baseline.correct else None


def _evidence(side: Side, forgotten: Sequence[CaseResult]) -> list[Request]:
    return [scored_behind(side.requests(result.case)[0], _wanted(result) or "") for result in forgotten]


def _nats(answer: Answer | None) -> float | None:
    return answer.loglikelihoods[0] if answer is not None and answer.finish == "scored" else None
