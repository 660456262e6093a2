"""How often each test is wrong and how often it is right, counted over all results that n cases can have."""

from fractions import Fraction

import pytest

from pytest_forgetting.comparison.exact import exact_unconditional_p
from pytest_forgetting.comparison.gates import Threshold, rule, weigh
from pytest_forgetting.comparison.outcomes import Counts
from pytest_forgetting.comparison.proof import proves, proves_beyond
from pytest_forgetting.comparison.statistics import mcnemar_mid_p
from tests.comparison.enumeration import chances

CHURNS = [0.1, 0.15, 0.2, 0.3, 0.4, 0.5]


@pytest.mark.parametrize(("n", "rates"), [(20, (0.007, 0.025)), (50, (0.03, 0.042)), (100, (0.042, 0.049))])
def test_false_alarms_of_mid_p(n: int, rates: tuple[float, float]) -> None:
    """Without any drop, churns of 0.1 and 0.2 raise as many alarms as were counted elsewhere."""
    alarms = chances(n, lambda broken, fixed: mcnemar_mid_p(broken, fixed) < 0.05, 0, [0.1, 0.2])
    assert alarms == pytest.approx(rates, abs=0.0005)


@pytest.mark.parametrize("n", [20, 25, 50, 100, 200])
def test_mid_p_keeps_its_level(n: int) -> None:
    """Up to a churn of one half, at most 5 % of runs without a drop are alarms."""
    alarms = chances(n, lambda broken, fixed: mcnemar_mid_p(broken, fixed) < 0.05, 0, CHURNS)
    assert max(alarms) <= 0.0501


@pytest.mark.parametrize("n", [20, 25, 50, 100, 200])
def test_a_drop_as_large_as_the_margin_is_seldom_ruled_out(n: int) -> None:
    """Of models that lost 0.10, at most 6 % are proven to have lost less, whatever the churn."""
    wrong = chances(n, lambda broken, fixed: proves(broken, fixed, n, 0.1), 0.1, [*CHURNS, 0.7, 0.9, 1.0])
    assert max(wrong) <= (0.06 if n >= 100 else 0.05)


@pytest.mark.parametrize("n", [20, 50, 100, 200])
def test_a_loss_as_large_as_the_margin_is_seldom_shown_to_be_larger(n: int) -> None:
    """The other way round Tango's score errs a little more, where nothing is fixed: in 7.3 % of runs at n = 100."""
    wrong = chances(n, lambda broken, fixed: proves_beyond(broken, fixed, n, 0.1), 0.1, CHURNS)
    assert max(wrong) <= (0.075 if n >= 100 else 0.05)


@pytest.mark.parametrize(
    ("n", "size", "power"), [(20, 0.040, 0.24), (25, 0.042, 0.25), (50, 0.048, 0.64), (100, 0.048, 0.89)]
)
def test_size_and_power_of_the_exact_test(n: int, size: float, power: float) -> None:
    """Its size against a drop of 0.10, and its power where nothing was lost, come out as counted elsewhere."""

    def proven(broken: int, fixed: int) -> bool:
        return exact_unconditional_p(broken, fixed, n, 0.1) <= 0.05

    assert max(chances(n, proven, 0.1, CHURNS)) == pytest.approx(size, abs=0.0005)
    assert chances(n, proven, 0, [0.1]) == pytest.approx([power], abs=0.005)


def red(n: int, forgotten: int, learned: int) -> bool:
    """Whether a drop of 0.10 at most is denied by the rule `significant`."""
    counts, asked = Counts(n - forgotten - learned, forgotten, learned), Threshold(Fraction(1, 10), rule="significant")
    return rule(counts, asked, weigh(counts, asked.allowed, 0.95)).verdict == "fail"


@pytest.mark.parametrize("n", [20, 50, 100, 200])
def test_significant_is_seldom_red_where_nothing_was_lost(n: int) -> None:
    """At most 5 % of models that differ by chance alone fail, however much they differ."""
    assert max(chances(n, lambda *table: red(n, *table), 0, [0.05, 0.1, 0.2])) <= 0.05


@pytest.mark.parametrize(("drop", "rate"), [(0.15, 0.921), (0.2, 0.997)])
def test_significant_finds_large_drops(drop: float, rate: float) -> None:
    """Of 200 cases, a tenth of which change by chance besides, the counts allow no more at this threshold."""
    assert chances(200, lambda *table: red(200, *table), drop, [0.1 + drop]) == pytest.approx([rate], abs=0.0005)
