"""Choosing from few: what guessing gets right, and how much forgetting is left beyond it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from pytest_forgetting.comparison.outcomes import CaseResult
from pytest_forgetting.grading.choices import SCORES, pick
from pytest_forgetting.suites.cases import Score


@dataclass(frozen=True)
class Choosing:
    """What a choice suite shows beside its counts."""

    chance: Fraction
    """The share that guessing gets right."""
    accuracies: dict[Score, tuple[Fraction, Fraction]]
    """The baseline's and the model's, by each measure."""
    adjusted: Fraction
    """Forgetting beyond what two guesses would show."""


def choosing(results: Sequence[CaseResult]) -> Choosing | None:
    """What the answered choice cases of `results` show; None where there is none."""
    answered = [result for result in results if result.case.choices and result.outcome != "unanswered"]
    if not answered:
        return None
    accuracies = {score: (_accuracy(score, answered, 0), _accuracy(score, answered, 1)) for score in SCORES}
    return Choosing(chance_of(answered), accuracies, adjusted_forgetting(answered))


def chance_of(results: Sequence[CaseResult]) -> Fraction:
    """The share of `results` that guessing gets right: one in k of cases with k choices, none of others."""
    sizes = Counter(len(result.case.choices) for result in results if result.outcome != "unanswered")
    guessed = sum((Fraction(cases, size) for size, cases in sizes.items() if size), Fraction(0))
    return guessed / (sizes.total() or 1)


def adjusted_forgetting(results: Sequence[CaseResult]) -> Fraction:
    """Forgotten cases beyond those that were guessed rightly before and wrongly now, as a share of all.

    F_adj = max(0, b/n − (1 − a_before)(1 − a_now) / (k − 1)) for k choices, which supposes that a model either knows
    the answer or guesses, each choice as likely as another, and that it guesses anew. Harmon and others (2025),
    arXiv:2510.17776. Where cases differ in the number of their choices, each number has its own term.
    """
    sizes = {len(result.case.choices) for result in results}
    excess = sum((_excess([each for each in results if len(each.case.choices) == size], size) for size in sizes), 0)
    return max(Fraction(0), Fraction(excess) / (len(results) or 1))


def _excess(results: Sequence[CaseResult], size: int) -> Fraction:
    """The same in cases, of those with `size` choices."""
    n = len(results)
    forgotten = sum(result.outcome == "forgotten" for result in results)
    wrong_before = sum(not result.baseline.correct for result in results)
    wrong_now = sum(not result.model.correct for result in results)
    return forgotten - Fraction(wrong_before * wrong_now, n * (size - 1))


def _accuracy(score: Score, results: Sequence[CaseResult], side: int) -> Fraction:
    right = 0
    for result in results:
        scores = (result.baseline, result.model)[side].loglikelihoods
        right += pick(score, result.case.choices, scores) == result.case.right_choice
    return Fraction(right, len(results))
