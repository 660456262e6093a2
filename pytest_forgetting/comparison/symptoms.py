"""What a run shows of how a model forgot, in the numbers that advice goes by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median

from pytest_forgetting.comparison.causes import Cause, cause_of, evidence_of, wrong_form
from pytest_forgetting.comparison.drift import divergence_of
from pytest_forgetting.comparison.outcomes import CaseResult, Counts, count
from pytest_forgetting.comparison.scopes import SuiteResult


@dataclass(frozen=True)
class CategoryLoss:
    """A category in which knowledge was lost."""

    name: str
    lost: int
    """Cases whose cause is knowledge."""
    share: Fraction
    """Of all such cases of the run."""
    of_cases: Fraction
    """Its share of all cases."""


@dataclass(frozen=True)
class Symptoms:
    """What was lost, and how; suites of `role: target` stand beside it, as they are to improve."""

    counts: Counts
    """Over all general suites."""
    causes: Mapping[Cause, int]
    """Of the forgotten cases, and of those that asking again changed."""
    false_alarms: int
    """Cases that were called forgotten until they were asked again."""
    categories: tuple[CategoryLoss, ...]
    """Those that lost knowledge, the largest loss first."""
    asked_categories: int
    wrong_form: tuple[Fraction, Fraction]
    """The share of written answers that are empty, in a loop, not ended or right in another form: both models'."""
    right_answers: tuple[float, float] | None
    """The median log-likelihood of the right answers that were lost to form, in nats under both models."""
    adapter: bool
    """Whether the candidate is an adapter."""
    divergence: float | None
    """KL(baseline‖model) in nats per token, over the texts of general suites; None where it is not known."""
    increases: tuple[float, ...]
    """By which share the cross-entropy grew, of each suite of texts whose gate failed for it."""
    target: tuple[Fraction, Fraction] | None
    """The accuracy in suites of `role: target` under both models; None without such a suite."""

    @property
    def forgotten(self) -> int:
        """Forgotten cases, each counted whole."""
        return sum(number for cause, number in self.causes.items() if cause != "numeric noise")


def symptoms_of(suites: Sequence[SuiteResult], *, adapter: bool) -> Symptoms:
    """Read the symptoms from the results of a run.

    Args:
        suites: all suites of the run, judged.
        adapter: whether the candidate is an adapter.
    """
    general = [suite for suite in suites if suite.suite.role == "general"]
    results = [result for suite in general for result in suite.results]
    told = [(cause, result) for result in results if (cause := cause_of(result)) is not None]
    categories = _by_category(general)
    divergence = divergence_of([result for result in results if result.outcome == "measured"])
    return Symptoms(
        counts=count(results),
        causes=Counter(cause for cause, _ in told),
        false_alarms=sum(cause == "numeric noise" and result.first == "forgotten" for cause, result in told),
        categories=_losing(categories),
        asked_categories=len(categories),
        wrong_form=_wrong_form(results),
        right_answers=_right_answers(result for cause, result in told if cause == "format"),
        adapter=adapter,
        divergence=divergence,
        increases=tuple(_increases(general)),
        target=_target(suites),
    )


def _by_category(suites: Sequence[SuiteResult]) -> dict[str, list[CaseResult]]:
    """Results by category; where there are several suites, each has categories of its own."""
    judged = [suite for suite in suites if suite.suite.kind != "text"]
    categories: dict[str, list[CaseResult]] = {}
    for suite in judged:
        for result in suite.results:
            name = result.case.category if len(judged) == 1 else f"{suite.suite.name}: {result.case.category}"
            categories.setdefault(name, []).append(result)
    return categories


def _losing(categories: Mapping[str, Sequence[CaseResult]]) -> tuple[CategoryLoss, ...]:
    cases = sum(map(len, categories.values()))
    lost = Counter({name: sum(map(_lost_knowledge, results)) for name, results in categories.items()})
    return tuple(
        CategoryLoss(name, number, Fraction(number, lost.total()), Fraction(len(categories[name]), cases))
        for name, number in lost.most_common()
        if number
    )


def _lost_knowledge(result: CaseResult) -> bool:
    return cause_of(result) == "knowledge"


def _wrong_form(results: Sequence[CaseResult]) -> tuple[Fraction, Fraction]:
    written = [each for each in results if each.outcome not in ("unanswered", "measured") and not each.case.choices]
    had = sum(wrong_form(each.case, each.baseline) for each in written)
    has = sum(wrong_form(each.case, each.model) for each in written)
    return Fraction(had, len(written) or 1), Fraction(has, len(written) or 1)


def _right_answers(results: Iterable[CaseResult]) -> tuple[float, float] | None:
    known = [right for result in results if (right := evidence_of(result)) is not None]
    return (median(each.baseline for each in known), median(each.model for each in known)) if known else None


def _increases(suites: Sequence[SuiteResult]) -> Iterator[float]:
    for suite in suites:
        if suite.overall.drift is not None and suite.overall.ruling.verdict == "fail":
            yield suite.overall.drift.increase


def _target(suites: Sequence[SuiteResult]) -> tuple[Fraction, Fraction] | None:
    counts = count(result for suite in suites if suite.suite.role == "target" for result in suite.results)
    return (counts.baseline_accuracy, counts.model_accuracy) if counts.n else None
