"""P values of many tests."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.comparison.multiplicity import holm

P_VALUES = st.lists(st.floats(0, 1), max_size=30)


def test_an_example_by_hand() -> None:
    """The smallest is multiplied by four, the next by three; none ends up below one that was smaller."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(P_VALUES)
def test_adjusted_lies_between_raw_and_bonferroni(p_values: list[float]) -> None:
    """Never less than the raw value, never more than all of them multiplied by their number, or 1."""
    adjusted = holm(p_values)
    assert all(raw <= new <= min(1, raw * len(p_values)) for raw, new in zip(p_values, adjusted, strict=True))


@given(P_VALUES)
def test_adjusting_keeps_the_order(p_values: list[float]) -> None:
    """A smaller value stays the smaller one, and equal values stay equal."""
    pairs = sorted(zip(p_values, holm(p_values), strict=True))
    assert all(one[1] <= next_[1] for one, next_ in pairwise(pairs))
    assert len(dict(pairs)) == len(set(pairs))


@given(P_VALUES.flatmap(lambda values: st.tuples(st.just(values), st.permutations(range(len(values))))))
def test_the_order_given_does_not_matter(shuffled: tuple[list[float], list[int]]) -> None:
    """Each value is adjusted to the same whatever place it has."""
    values, order = shuffled
    adjusted = holm(values)
    assert holm([values[index] for index in order]) == [adjusted[index] for index in order]


def test_one_test_needs_no_adjustment() -> None:
    """A single value stays as it is, and none give none."""
    assert holm([0.04]) == [0.04]
    assert holm([]) == []


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_impossible_values_are_refused(p: float) -> None:
    """What is no probability is told."""
    with pytest.raises(ValueError, match=f"p value: found {p}; wanted a number between 0 and 1"):
        holm([0.5, p])
