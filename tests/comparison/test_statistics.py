"""Tests and intervals for paired yes-or-no results."""

from decimal import Decimal, localcontext
from math import comb, inf, isinf
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.comparison.statistics import mcnemar_mid_p, tango_interval, tango_z

Z95 = NormalDist().inv_cdf(0.95)


@st.composite
def results(draw: st.DrawFn, most: int = 300) -> tuple[int, int, int]:
    """Broken, fixed, and all cases."""
    n = draw(st.integers(1, most))
    broken = draw(st.integers(0, n))
    return broken, draw(st.integers(0, n - broken)), n


def test_fagerlands_example() -> None:
    """The interval of the published example with cells 1, 1, 7 and 12 comes out as published."""
    low, high = tango_interval(broken=1, fixed=7, n=21)
    assert (round(low, 3), round(high, 3)) == (-0.517, -0.026)


@pytest.mark.parametrize("n", [1, 20, 100, 5000])
@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95, 0.99])
def test_without_discordant_cases_the_interval_stays_open(n: int, confidence: float) -> None:
    """No change seen is not no change: the ends are ±z²/(n + z²)."""
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    assert tango_interval(0, 0, n, confidence) == pytest.approx((-z2 / (n + z2), z2 / (n + z2)))


@given(results(), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_the_interval_ends_where_the_statistic_says(result: tuple[int, int, int], confidence: float) -> None:
    """At each end within (−1, 1) the statistic is ±z, and the drop lies between the ends."""
    broken, fixed, n = result
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    low, high = tango_interval(broken, fixed, n, confidence)
    assert -1 <= low <= (broken - fixed) / n <= high <= 1
    assert low == -1 or tango_z(broken, fixed, n, low) == pytest.approx(z, abs=1e-4)
    assert high == 1 or tango_z(broken, fixed, n, high) == pytest.approx(-z, abs=1e-4)


@given(results(), st.floats(-1, 1))
def test_what_is_broken_mirrors_what_is_fixed(result: tuple[int, int, int], margin: float) -> None:
    """Exchanging the two models turns statistic and interval round."""
    broken, fixed, n = result
    low, high = tango_interval(broken, fixed, n)
    assert tango_interval(fixed, broken, n) == pytest.approx((-high, -low), abs=1e-6)
    turned = -tango_z(fixed, broken, n, -margin)
    assert tango_z(broken, fixed, n, margin) == turned


@given(results(), st.floats(-0.99, 0.98))
def test_a_larger_drop_is_ruled_out_more_easily(result: tuple[int, int, int], margin: float) -> None:
    """The statistic falls as the drop in question grows."""
    assert tango_z(*result, margin + 0.01) < tango_z(*result, margin)


def test_twenty_five_cases_are_the_fewest_that_prove_ten_points() -> None:
    """With nothing changed, 24 cases cannot rule out a drop of 0.10 at 95 %, and 25 can."""
    assert tango_z(0, 0, 24, 0.10) > -Z95
    assert tango_z(0, 0, 25, 0.10) <= -Z95


@pytest.mark.parametrize(
    ("n", "proven", "not_proven"), [(50, (1, 0), (2, 0)), (50, (2, 2), (3, 2)), (100, (5, 0), (6, 0))]
)
def test_losses_that_still_prove_ten_points(n: int, proven: tuple[int, int], not_proven: tuple[int, int]) -> None:
    """The decision card: 50 cases bear one loss, 100 bear five."""
    assert tango_z(*proven, n, 0.10) <= -Z95
    assert tango_z(*not_proven, n, 0.10) > -Z95


@pytest.mark.parametrize(
    ("broken", "fixed", "n", "low", "high"),
    [(1, 0, 1, -0.586902, 1), (0, 1, 1, -1, 0.586902), (5, 0, 5, 0.131035, 1), (0, 5, 5, -1, -0.131035)],
)
def test_everything_changed(broken: int, fixed: int, n: int, low: float, high: float) -> None:
    """Where every case was lost or gained, the interval ends at ±1 and stays finite."""
    assert tango_interval(broken, fixed, n) == pytest.approx((low, high), abs=1e-5)


def test_a_drop_that_leaves_no_chance() -> None:
    """Were everything lost, nothing could be kept: the statistic is infinite, or 0 where it is so."""
    assert tango_z(2, 0, 5, 1.0) == -inf
    assert isinf(tango_z(2, 0, 5, -1.0))
    assert tango_z(5, 0, 5, 1.0) == 0


@pytest.mark.parametrize("short", [2**-30, 2**-40, 2**-46])
@pytest.mark.parametrize(("broken", "fixed", "n"), [(1, 1, 4), (1, 3, 9), (1.7, 0.25, 2)])
def test_the_statistic_keeps_its_digits_near_a_drop_of_1(broken: float, fixed: float, n: int, short: float) -> None:
    """Tango's formula in sixty digits gives the same, where in floats the root would lose all of its own."""
    b, c, drop = Decimal(broken), Decimal(fixed), Decimal(1 - short)
    with localcontext(prec=60):
        linear, constant = (2 * n - b + c) * drop - b - c, -c * drop * (1 - drop)
        share = ((linear * linear - 8 * n * constant).sqrt() - linear) / (4 * n)
        z = (b - c - n * drop) / (n * (2 * share + drop * (1 - drop))).sqrt()
    assert tango_z(broken, fixed, n, 1 - short) == pytest.approx(float(z), rel=1e-9)


@pytest.mark.parametrize(
    ("broken", "fixed", "p"), [(0, 0, 1.0), (4, 0, 1 / 32), (3, 3, 0.5), (0, 5, 1 - 1 / 64), (1, 0, 0.25)]
)
def test_mid_p_by_hand(broken: int, fixed: int, p: float) -> None:
    """Small counts agree with what one works out; four losses are the fewest that tell at 5 %."""
    assert mcnemar_mid_p(broken, fixed) == pytest.approx(p)


@given(st.integers(0, 200), st.integers(0, 200))
def test_mid_p_is_its_definition(broken: int, fixed: int) -> None:
    """P(X > b) + ½ P(X = b), summed exactly; both directions together make 1."""
    n = broken + fixed
    exact = (sum(comb(n, k) for k in range(broken + 1, n + 1)) + comb(n, broken) / 2) / 2**n
    assert mcnemar_mid_p(broken, fixed) == pytest.approx(exact if n else 1.0, abs=1e-12)
    assert not n or mcnemar_mid_p(broken, fixed) + mcnemar_mid_p(fixed, broken) == pytest.approx(1)


def test_large_counts_cost_nothing() -> None:
    """Ten thousands of discordant cases are counted as exactly as ten."""
    assert mcnemar_mid_p(10_000, 10_000) == 0.5
    assert tango_interval(100_000, 10, 10**6) == pytest.approx((0.099403, 0.100580), abs=1e-6)


@pytest.mark.parametrize(("broken", "fixed", "n"), [(-1, 0, 5), (0, -1, 5), (3, 3, 5), (0, 0, 0)])
def test_impossible_counts_are_refused(broken: int, fixed: int, n: int) -> None:
    """Counts that do not fit into n, or no case at all, have no statistic."""
    with pytest.raises(ValueError, match=f"found {broken} broken and {fixed} fixed of {n} cases; wanted counts that"):
        tango_z(broken, fixed, n, 0.1)
    with pytest.raises(ValueError, match="wanted counts that"):
        tango_interval(broken, fixed, n)


def test_impossible_questions_are_refused() -> None:
    """A margin beyond ±1, a confidence of 0 or 1, and negative counts are told."""
    with pytest.raises(ValueError, match=r"margin: found 1.5; wanted a drop between -1 and 1"):
        tango_z(0, 0, 5, 1.5)
    with pytest.raises(ValueError, match=r"confidence: found 1; wanted a number between 0 and 1"):
        tango_interval(0, 0, 5, 1)
    with pytest.raises(ValueError, match=r"confidence: found 0; wanted a number between 0 and 1"):
        tango_interval(0, 0, 5, 0)
    with pytest.raises(ValueError, match="found -1 broken"):
        mcnemar_mid_p(-1, 3)
