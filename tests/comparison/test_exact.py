"""The exact unconditional test."""

from math import nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_forgetting.comparison.exact import _p_values, exact_unconditional_p
from pytest_forgetting.comparison.statistics import tango_z
from tests.comparison.enumeration import chances, tables

SOME_N = st.sampled_from([3, 12, 25])
MARGINS = st.sampled_from([-0.2, -0.1, 0.0, 0.05, 0.1, 0.3])


@pytest.mark.parametrize(("n", "margin"), [(20, 0.1), (28, 0.1), (14, 0.2), (59, 0.05), (1, 0.5)])
def test_nothing_lost_by_hand(n: int, margin: float) -> None:
    """Where nothing was broken or fixed, p is the chance that a drop of `margin` breaks nothing."""
    assert exact_unconditional_p(0, 0, n, margin) == pytest.approx((1 - margin) ** n)


def test_another_churn_may_make_as_telling_results_likelier() -> None:
    """With 29 cases, results as telling as "nothing lost" are likeliest where much is lost and much learned."""
    assert round(0.9**29, 4) == 0.0471
    assert exact_unconditional_p(0, 0, 29, 0.1) == pytest.approx(0.0486, abs=1e-4)


@pytest.mark.parametrize(
    ("broken", "fixed", "n", "margin"), [(1, 0, 20, 0.1), (2, 3, 30, 0.1), (0, 4, 12, -0.1), (0, 1, 25, 0.02)]
)
def test_p_is_its_definition(broken: int, fixed: int, n: int, margin: float) -> None:
    """The largest chance, over ten thousand churns, of a statistic as low as the observed one."""
    observed = tango_z(broken, fixed, n, margin)
    churns = [abs(margin) + (1 - abs(margin)) * step / 10_000 for step in range(10_001)]
    defined = max(chances(n, lambda b, c: tango_z(b, c, n, margin) <= observed + 1e-9, margin, churns))
    assert exact_unconditional_p(broken, fixed, n, margin) == pytest.approx(defined, abs=1e-4)


@pytest.mark.parametrize("margin", [-0.1, 0.0, 0.1, 0.5])
@pytest.mark.parametrize("n", [1, 3, 5, 7])
def test_rounding_takes_no_chance_beyond_1(n: int, margin: float) -> None:
    """What is certain is summed from many parts; it has a p of 1 and no more."""
    assert exact_unconditional_p(n, 0, n, margin) == pytest.approx(1)
    assert max(exact_unconditional_p(broken, fixed, n, margin) for broken, fixed in tables(n)) <= 1


@pytest.mark.parametrize("margin", [-0.1, 0.0, 0.1, 0.5])
@pytest.mark.parametrize("n", [1, 7, 40])
def test_what_is_broken_weakens_the_proof(n: int, margin: float) -> None:
    """One more case broken, or one fewer fixed, never lowers p."""
    for broken, fixed in tables(n - 1):
        p = exact_unconditional_p(broken, fixed, n, margin)
        assert 0 <= p <= 1
        assert exact_unconditional_p(broken + 1, fixed, n, margin) >= p
        assert exact_unconditional_p(broken, fixed + 1, n, margin) <= p


@settings(deadline=None)
@given(SOME_N, MARGINS, st.data())
def test_a_drop_and_its_contrary_are_never_both_unlikely(n: int, margin: float, data: st.DataObject) -> None:
    """The p values against "as much or more" and "as much or less" make 1 or more together."""
    broken, fixed = data.draw(st.sampled_from(list(tables(n))))
    both = exact_unconditional_p(broken, fixed, n, margin) + exact_unconditional_p(fixed, broken, n, -margin)
    assert both >= 1 - 1e-9


def test_without_a_discordant_case_nothing_is_shown_about_no_drop() -> None:
    """p is 1, not NaN, where nothing changed and no drop is the question."""
    assert exact_unconditional_p(0, 0, 30, 0) == 1


def test_a_suite_is_counted_out_once() -> None:
    """All questions about as many cases and the same margin are answered from one count."""
    counted = _p_values.cache_info().misses
    for broken in range(50):
        exact_unconditional_p(broken, 1, 99, 0.123)
    assert _p_values.cache_info().misses == counted + 1


def test_impossible_questions_are_refused() -> None:
    """Counts that do not fit into n, and margins beyond ±1, are told."""
    with pytest.raises(ValueError, match="found 3 broken and 3 fixed of 5 cases; wanted counts that fit"):
        exact_unconditional_p(3, 3, 5, 0.1)
    for margin in (1.5, nan):
        with pytest.raises(ValueError, match=f"margin: found {margin}; wanted a drop between -1 and 1"):
            exact_unconditional_p(0, 0, 5, margin)
