"""Forgetting beyond what guessing explains."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.comparison.chance import adjusted_forgetting, chance_of, choosing
from pytest_forgetting.comparison.judge import Judge
from pytest_forgetting.comparison.outcomes import CaseResult, Graded
from pytest_forgetting.suites.cases import GatePolicy, Prompt, Suite
from tests.comparison.choosing import SILENT, chosen, outcomes
from tests.comparison.lost import retained


@pytest.mark.parametrize(
    ("table", "k", "expected"),
    [
        # max(0, b/n − (1 − a_pre)(1 − a_post)/(k − 1)), by hand:
        ((3, 3, 2, 2), 4, Fraction(3, 10) - Fraction(4 * 5, 100 * 3)),  # 0.3 − 0.4 · 0.5 / 3 = 0.2333…
        ((3, 3, 2, 2), 2, Fraction(1, 10)),  # 0.3 − 0.4 · 0.5 / 1
        ((10, 0, 0, 0), 4, Fraction(0)),
        ((5, 5, 0, 0), 4, Fraction(1, 2)),  # the baseline knew all: nothing was guessed
        ((25, 25, 25, 25), 2, Fraction(0)),  # two guessers: b/n = 1/4 is what guessing gives
        ((0, 10, 0, 90), 4, Fraction(0)),  # 0.1 − 0.9 · 1 / 3 is below 0
    ],
)
def test_golden_values(table: tuple[int, int, int, int], k: int, expected: Fraction) -> None:
    """The formula of Harmon and others (2025), in exact fractions."""
    assert adjusted_forgetting(outcomes(*table, k=k)) == expected


def test_two_guessers_have_forgotten_nothing() -> None:
    """Of k choices, (k − 1)/k² of the cases are right before and wrong now by guessing alone."""
    for k in (2, 3, 4, 5):
        right, both = k, 1
        table = (both, right - both, right - both, k * k - 2 * right + both)
        assert adjusted_forgetting(outcomes(*table, k=k)) == 0
        assert Fraction(right - both, k * k) == Fraction(k - 1, k * k)


def test_numbers_of_choices_are_adjusted_each_by_itself() -> None:
    """Of 10 cases with 2 choices and 10 with 4: the mean of both values, neither's formula for all."""
    twos, fours = outcomes(6, 2, 0, 2, k=2), outcomes(3, 5, 0, 2, k=4)
    one = Fraction(2, 10) - Fraction(2 * 4, 100)  # 0.12
    other = Fraction(5, 10) - Fraction(2 * 7, 100 * 3)  # 0.4533…
    assert adjusted_forgetting(twos + fours) == (one + other) / 2


@given(st.tuples(*(st.integers(0, 9) for _ in range(4))), st.integers(2, 5))
def test_it_lies_between_nothing_and_what_was_forgotten(table: tuple[int, int, int, int], k: int) -> None:
    """Never negative, and never more than the plain share of forgotten cases."""
    if sum(table):
        assert 0 <= adjusted_forgetting(outcomes(*table, k=k)) <= Fraction(table[1], sum(table))


def test_chance_is_the_mean_over_cases() -> None:
    """One in k of each; what was not answered is not guessed either."""
    silent = CaseResult(chosen(0, 0, 10).case, "q", SILENT, SILENT)
    assert chance_of([chosen(0, 0, 2), chosen(0, 0, 4), silent]) == Fraction(3, 8)
    assert chance_of([]) == 0
    assert isinstance(chance_of([retained()]), Fraction)


def test_all_three_measures_are_shown_for_both_sides() -> None:
    """Unanswered cases are left out, also of one side; no choice case means nothing to show."""
    cases = [*outcomes(2, 1, 0, 1), CaseResult(chosen(0, 0).case, "q", chosen(0, 0).baseline, SILENT)]
    seen = choosing(cases)
    assert seen is not None
    assert set(seen.accuracies.values()) == {(Fraction(3, 4), Fraction(1, 2))}
    assert list(seen.accuracies) == ["acc", "acc_norm", "acc_bytes"]
    assert choosing([]) is None
    assert choosing(cases[-1:]) is None


def test_each_measure_has_its_own_accuracies() -> None:
    """The right choice is long: right by all measures, or by the two that count its length."""
    choices = ("a" * 20, "no")
    case = replace(chosen(0, 0).case, prompt=Prompt("q", (), continuations=choices), expected=choices[:1])
    had, has = (
        Graded("", "scored", right, loglikelihoods=(total, -5.0)) for right, total in ((True, -4.0), (False, -8.0))
    )
    seen = choosing([CaseResult(case, "q", had, has)])
    assert seen is not None
    shares = {score: tuple(map(int, sides)) for score, sides in seen.accuracies.items()}
    assert shares == {"acc": (1, 0), "acc_norm": (1, 1), "acc_bytes": (1, 1)}
    assert (seen.chance, seen.adjusted) == (Fraction(1, 2), Fraction(1))
    turned = choosing([CaseResult(case, "q", has, had)])
    assert turned is not None
    assert turned.accuracies == {score: (now, before) for score, (before, now) in seen.accuracies.items()}


def judged(cases: list[CaseResult]) -> tuple[str, str]:
    """Verdict and reason at `max_drop: 0.1`."""
    suite = Suite(Path("s.yaml"), "s", "choice", tuple(each.case for each in cases), gate=GatePolicy(), nodeid="s.yaml")
    ruling = Judge().suite(suite, cases).overall.ruling
    return ruling.verdict, ruling.because


@pytest.mark.parametrize(
    ("right", "k", "verdict"), [(35, 4, "inconclusive"), (36, 4, "pass"), (60, 2, "inconclusive"), (61, 2, "pass")]
)
def test_the_floor_lies_above_chance(right: int, k: int, verdict: str) -> None:
    """Of 4 choices 25 % are guessed: a baseline needs more than 35 % before 10 points can be lost."""
    found = judged(outcomes(right, 0, 0, 100 - right, k=k))
    assert found[0] == verdict
    if verdict == "inconclusive":
        assert found[1] == f"the baseline does not know this beyond guessing ({100 / k:.1f} %): nothing to forget"
