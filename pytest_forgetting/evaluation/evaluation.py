"""From cases to a Comparison: missing answers are asked for, graded and judged; `compare()` and test items use it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from pytest_forgetting.answers.progress import Silent
from pytest_forgetting.comparison.advice import recommend
from pytest_forgetting.comparison.comparison import Comparison, Timing, decide
from pytest_forgetting.comparison.doubts import confirmation, is_half
from pytest_forgetting.comparison.judge import Judge
from pytest_forgetting.comparison.outcomes import CaseResult, Graded
from pytest_forgetting.comparison.participants import Finding
from pytest_forgetting.comparison.scopes import SuiteResult
from pytest_forgetting.comparison.symptoms import symptoms_of
from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.evaluation.follow_up import follow_up
from pytest_forgetting.evaluation.grading_sides import graded
from pytest_forgetting.evaluation.pair import Pair, shown_settings
from pytest_forgetting.reporting.display import Display

if TYPE_CHECKING:
    from pytest_forgetting.answers.called_side import CalledSide
    from pytest_forgetting.answers.progress import Progress
    from pytest_forgetting.answers.sides import SideName
    from pytest_forgetting.suites.cases import Case, Suite


class Evaluation:
    """All that a run knows: suites, answers, results. Items are pure functions of it."""

    def __init__(self, pair: Pair) -> None:
        """Nothing is asked yet; `pair` is what is compared, under which settings, and who asks it."""
        settings = pair.settings
        self.pair = pair
        self.sides = pair.sides
        self.interview = pair.interview
        self._confidence = settings.confidence
        self._settings = shown_settings(settings)
        self._results: dict[int, CaseResult] = {}
        self.grade = partial(graded, keep_thoughts=settings.think == "keep")
        self._follow_up = follow_up(self.sides, self.interview, self.grade)

    def check_recordings(self, suites: Iterable[Suite]) -> None:
        """See that recordings were made from these very suites, and that all can give what the suites go by.

        Raises:
            WrongUsage: they were not, or cannot; the message tells what differs.
            CannotAnswer: a server does not answer.
        """
        from pytest_forgetting.answers.served_interview import ServedInterview
        from pytest_forgetting.evaluation.recorded_pair import refusals

        suites = list(suites)
        for _, called in self._called():
            called.see_answerable(suites)
        if isinstance(self.interview, ServedInterview):
            self.interview.see_answerable(suites)
        told = list(refusals(self.sides, suites))
        if told:
            raise WrongUsage("\n".join(told))

    def ensure(self, wanted: Sequence[tuple[Suite, Case]], progress: Progress | None = None) -> None:
        """Get whatever answers are missing and grade them, so that `result` knows all of `wanted`.

        Where both models can be asked, doubtful outcomes are asked again before they count.

        Raises:
            CannotAnswer: a model cannot be asked.
        """
        open_cases = [(suite, case) for suite, case in wanted if not self.knows([case])]
        for name, called in self._called():
            called.ask(name, [case for _, case in open_cases], progress or Silent())
        if self.interview is not None:
            self.interview.ask([case for _, case in open_cases], progress or Silent())
        results = list(self._graded(open_cases))
        if self._follow_up is not None:
            self._follow_up.ask(results, progress or Silent())
        self._keep(results)

    def recall(self, wanted: Iterable[tuple[Suite, Case]]) -> None:
        """Grade those of `wanted` whose answers are at hand on both sides."""
        self._keep(list(self._graded((suite, case) for suite, case in wanted if not self.knows([case]))))

    def result(self, suite: Suite, case: Case) -> CaseResult:
        """Both graded answers to `case`, asking where they are missing."""
        if id(case) not in self._results:
            self.ensure([(suite, case)])
        return self._results[id(case)]

    def known(self, cases: Iterable[Case]) -> list[CaseResult]:
        """The results there are, without asking."""
        return [self._results[id(case)] for case in cases if id(case) in self._results]

    def knows(self, cases: Iterable[Case]) -> bool:
        """Whether each of `cases` has its result, or needs none."""
        return all(id(case) in self._results or case.skip is not None for case in cases)

    def judge_suite(
        self, suite: Suite, cases: Iterable[Case], gates: Container[str | None] | None = None
    ) -> SuiteResult:
        """Count and judge the known results of `cases`; `gates` as in `Judge.suite`."""
        judge = Judge(self._confidence, self.pair.adapter_inert())
        return judge.suite(suite, self.known(cases), gates)

    def comparison(self, suites: Sequence[SuiteResult], timing: Timing | None = None) -> Comparison:
        """The run's one result, of which every report is a view."""
        results = [result for suite in suites for result in suite.results]
        failing = sum(len(result.failing_cases) for result in suites)
        gates = [scope.ruling for result in suites for scope in result.gates]
        return Comparison(
            decision=decide(gates, failing),
            baseline=self.sides["baseline"].participant,
            model=self.sides["model"].participant,
            suites=tuple(suites),
            settings=self._settings,
            audit=(*self.pair.findings(), *self._confirmation(results), *_identity(self.pair, results)),
            recommendations=recommend(symptoms_of(suites, adapter=self.pair.is_adapter)),
            timing=timing or Timing(),
            view=Display(),
        )

    def close(self) -> None:
        """Free the models and the store."""
        self.pair.close()

    def _called(self) -> list[tuple[SideName, CalledSide]]:
        from pytest_forgetting.answers.called_side import CalledSide

        return [(name, side) for name, side in self.sides.items() if isinstance(side, CalledSide)]

    def _keep(self, results: Sequence[CaseResult]) -> None:
        """Hold results, with what follow-up questions have found out about them."""
        known = results if self._follow_up is None else self._follow_up.seen(results)
        self._results.update((id(result.case), result) for result in known)

    def _graded(self, wanted: Iterable[tuple[Suite, Case]]) -> Iterator[CaseResult]:
        """The first answers to those of `wanted` that both sides have answered."""
        model, baseline = self.sides["model"], self.sides["baseline"]
        for suite, cases in by_suite(wanted):
            pairs = zip(cases, baseline.recall(suite, cases), model.recall(suite, cases), strict=True)
            for case, had, has in pairs:
                if had is not None and has is not None:
                    shown = model.requests(case)[0].shown
                    yield CaseResult(case, shown, self.grade(case, had), self.grade(case, has))

    def _confirmation(self, results: Sequence[CaseResult]) -> Iterator[Finding]:
        half = is_half(*(side.participant for side in self.sides.values()))
        if (finding := confirmation(results, half_precision=half)) is not None:
            yield finding
        if self._follow_up is not None:
            yield from (Finding("confirm", "warning", note) for note in self._follow_up.notes)


def by_suite(wanted: Iterable[tuple[Suite, Case]]) -> Iterable[tuple[Suite, list[Case]]]:
    """The same, suite by suite."""
    suites: dict[int, tuple[Suite, list[Case]]] = {}
    for suite, case in wanted:
        suites.setdefault(id(suite), (suite, []))[1].append(case)
    return suites.values()


def _same(had: Graded, has: Graded) -> bool:
    return had.answer == has.answer and had.loglikelihoods == has.loglikelihoods


def _identity(pair: Pair, results: Sequence[CaseResult]) -> list[Finding]:
    """Say it where there was nothing to compare."""
    baseline, model = pair.sides["baseline"].participant, pair.sides["model"].participant
    if baseline.is_identified and baseline.fingerprint == model.fingerprint:
        return [Finding("identity", "info", "both references are the same model (equal fingerprints)")]
    answered = [result for result in results if result.outcome != "unanswered"]
    if answered and all(_same(result.baseline, result.model) for result in answered):
        told = ", and so are their weights: no training changed any" if pair.has_equal_weights() else ""
        return [Finding("identity", "warning", f"all {len(answered)} answers of both models are the same{told}")]
    return []
