"""Which choice a model holds the likeliest, by three measures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.grading.choices import SCORES, margin, pick
from pytest_forgetting.suites.cases import Score

# By hand:   acc     acc_norm: 2, 10 and 20 characters    acc_bytes: 2, 30 and 20 bytes
# "no"      −5.0    −2.5                                 −2.5
# ten €    −12.0    −1.2                                 −0.4
# 20 × a   −18.0    −0.9                                 −0.9
CHOICES = ("no", "€" * 10, "a" * 20)
LOGLIKELIHOODS = (-5.0, -12.0, -18.0)


@pytest.mark.parametrize(("score", "number"), [("acc", 0), ("acc_norm", 2), ("acc_bytes", 1)])
def test_the_three_measures_may_pick_three_choices(score: Score, number: int) -> None:
    """The whole text, per character, per byte of UTF-8: worked out by hand."""
    assert pick(score, CHOICES, LOGLIKELIHOODS) == number


@pytest.mark.parametrize("score", SCORES)
def test_of_equally_likely_ones_the_first_is_picked(score: Score) -> None:
    """As numpy's argmax does in lm-evaluation-harness."""
    assert pick(score, ("ab", "cd", "ef"), (-2.0, -1.0, -1.0)) == 1


def test_lone_surrogates_have_bytes_too() -> None:
    """What a broken text holds is measured and does not raise."""
    assert pick("acc_bytes", ("\ud800", "ab"), (-2.9, -2.0)) == 0


@given(st.lists(st.integers(-(10**6), 0), min_size=2, max_size=6))
def test_equal_lengths_are_picked_alike(values: list[int]) -> None:
    """Where all choices are as long, length decides nothing."""
    alike = [f"{n:04}" for n in range(len(values))]
    assert len({pick(score, alike, values) for score in SCORES}) == 1


@pytest.mark.parametrize(("score", "lead"), [("acc", 7.0), ("acc_norm", 0.3), ("acc_bytes", 0.5)])
def test_the_lead_is_told_in_the_measure_that_picks(score: Score, lead: float) -> None:
    """By hand: −5 before −12; −0.9 before −1.2; −0.4 before −0.9."""
    assert margin(score, CHOICES, LOGLIKELIHOODS) == pytest.approx(lead)


def test_a_lead_is_that_over_the_second() -> None:
    """The others, and the order, make no difference."""
    assert margin("acc", ("a", "b", "c"), (-3.0, -9.0, -1.0)) == 2


def test_each_choice_has_one_likelihood() -> None:
    """One too many is a fault of the caller, never left out."""
    with pytest.raises(ValueError, match="zip"):
        pick("acc", ("a", "b"), (-1.0, -2.0, -3.0))
