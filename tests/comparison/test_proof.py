"""What is proven, from how many cases on, and how many are missing."""

from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_forgetting.comparison.proof import cases_needed, proves, proves_beyond, settled, smallest_n
from pytest_forgetting.comparison.statistics import tango_z

Counts = tuple[int, int, int]
MARGINS = st.sampled_from([-0.1, 0.0, 0.05, 0.1, 0.2])


@st.composite
def results(draw: st.DrawFn, most: int = 140) -> Counts:
    """Broken, fixed, and all cases, few of them discordant."""
    n = draw(st.integers(1, most))
    broken = draw(st.integers(0, n // 3))
    return broken, draw(st.integers(0, n // 3)), n


@pytest.mark.parametrize(
    ("proven", "not_proven"), [((1, 0, 50), (2, 0, 50)), ((2, 2, 50), (3, 2, 50)), ((5, 0, 100), (6, 0, 100))]
)
def test_losses_that_still_prove_ten_points(proven: Counts, not_proven: Counts) -> None:
    """The decision card: 50 cases bear one loss, 100 bear five."""
    assert proves(*proven, 0.1)
    assert not proves(*not_proven, 0.1)


def test_few_cases_are_held_to_the_exact_test() -> None:
    """27 cases without a loss would do by Tango's score, and 6 % of models that lost 0.10 show no loss in 27."""
    assert tango_z(0, 0, 27, 0.1) <= -NormalDist().inv_cdf(0.95)
    assert not proves(0, 0, 27, 0.1)


def test_a_loss_beyond_the_margin_is_proven_too() -> None:
    """Losing 30 of 100 shows more than 0.10 lost; losing 12 does not."""
    assert proves_beyond(30, 0, 100, 0.1)
    assert not proves_beyond(12, 0, 100, 0.1)
    assert proves_beyond(15, 0, 50, 0.1)


def test_gains_are_proven_by_negative_margins() -> None:
    """A gain of 15 of 50 shows that more than 0.10 was gained; one of 2 shows that less was, once there are enough."""
    assert proves(0, 15, 50, -0.1)
    assert not proves(0, 7, 50, -0.1)
    assert proves_beyond(0, 2, 99, -0.1)


@settings(deadline=None, max_examples=50)
@given(results(), MARGINS, st.sampled_from([0.8, 0.95, 0.99]))
def test_a_drop_and_its_contrary_are_never_both_proven(result: Counts, margin: float, confidence: float) -> None:
    """What is settled is proven on one side, and on that on which it was measured."""
    broken, fixed, n = result
    under, beyond = proves(*result, margin, confidence), proves_beyond(*result, margin, confidence)
    assert not (under and beyond)
    assert settled(*result, margin, confidence) is (under or beyond)
    assert not under or broken - fixed < n * margin


@settings(deadline=None, max_examples=50)
@given(results(99), MARGINS)
def test_one_loss_more_never_helps_a_proof(result: Counts, margin: float) -> None:
    """What is proven with a loss is proven without it, and at a larger margin."""
    broken, fixed, n = result
    if proves(broken + 1, fixed, n + 1, margin):
        assert proves(broken, fixed, n + 1, margin)
        assert proves(broken, fixed + 1, n + 1, margin)


@pytest.mark.parametrize(
    ("margin", "fewest"), [(0.2, 14), (0.1, 29), (0.05, 59), (0.03, 99), (0.02, 133), (0.01, 268), (1.0, 1)]
)
def test_the_fewest_cases_that_prove_a_margin(margin: float, fewest: int) -> None:
    """With nothing lost, ln 0.05 / ln(1 − margin) cases where that is below a hundred, else by Tango's score."""
    assert smallest_n(margin) == fewest


@pytest.mark.parametrize(("margin", "confidence", "fewest"), [(0.1, 0.99, 51), (0.12, 0.95, 25), (0.027, 0.95, 100)])
def test_where_the_closed_form_is_too_low(margin: float, confidence: float, fewest: int) -> None:
    """Tables as telling as "nothing lost" may be likelier at another churn, and at 100 the test changes."""
    assert smallest_n(margin, confidence) == fewest
    assert proves(0, 0, fewest, margin, confidence)


@settings(deadline=None, max_examples=20)
@given(st.floats(0.005, 0.9), st.sampled_from([0.9, 0.95]))
def test_one_case_fewer_proves_nothing(margin: float, confidence: float) -> None:
    """The number named proves the margin, and the one below does not."""
    fewest = smallest_n(margin, confidence)
    assert fewest is not None
    assert proves(0, 0, fewest, margin, confidence)
    assert fewest == 1 or not proves(0, 0, fewest - 1, margin, confidence)


@pytest.mark.parametrize("margin", [0, -0.1])
def test_no_number_of_equal_answers_proves_a_gain(margin: float) -> None:
    """Where nothing may be lost at all, or something must be gained, nothing changed is no proof, however often."""
    assert smallest_n(margin) is None
    assert not proves(0, 0, 1000, margin)


def test_more_equal_answers_show_that_a_gain_falls_short() -> None:
    """Nothing gained is measured short of 0.10, which 29 cases prove; it is as measured where 0 was wanted."""
    assert cases_needed(0, 0, 20, -0.1) == 9
    assert cases_needed(0, 0, 20, 0) is None


def test_nothing_is_missing_where_it_is_settled() -> None:
    """Proven needs no more cases."""
    assert cases_needed(0, 0, 29, 0.1) == 0
    assert cases_needed(30, 0, 100, 0.1) == 0


@pytest.mark.parametrize("n", [10, 70, 200, 1000])
def test_a_drop_as_large_as_the_margin_is_never_settled(n: int) -> None:
    """More cases at the same rates change nothing, also where n × 0.1 is not whole in floats."""
    assert cases_needed(n // 10, 0, n, 0.1) is None


def test_what_is_missing_to_the_fewest() -> None:
    """Twenty cases without a loss lack nine to the 29 that prove ten points."""
    assert cases_needed(0, 0, 20, 0.1) == 9
    assert cases_needed(0, 0, 120, 0.02) == 13
    assert cases_needed(0, 0, 19, 0.05) == 40
    assert cases_needed(0, 0, 40, 0.1, 0.99) == 11


@settings(deadline=None, max_examples=50)
@given(results(), MARGINS)
def test_what_is_missing_would_settle_it(result: Counts, margin: float) -> None:
    """At the same rates, rounded to cases, the number named settles it, and one fewer would not."""
    broken, fixed, n = result
    more = cases_needed(*result, margin)
    if not more:
        return
    enough, short = n + more, n + more - 1
    if enough < 100:
        assert settled(*scaled(result, enough), margin)
        assert more == 1 or not settled(*scaled(result, short), margin)
    else:
        wanted = NormalDist().inv_cdf(0.95)
        assert abs(tango_z(broken * enough / n, fixed * enough / n, enough, margin)) >= wanted - 1e-9
        assert enough == 100 or abs(tango_z(broken * short / n, fixed * short / n, short, margin)) < wanted


def scaled(result: Counts, size: int) -> Counts:
    """The same rates among `size` cases."""
    broken, fixed, n = result
    lost = round(broken * size / n)
    return lost, round((broken + fixed) * size / n) - lost, size


def test_learned_cases_prove_sooner() -> None:
    """Below the smallest number, too, if more is learned than lost: no size is too small for every result."""
    assert smallest_n(0.1) == 29
    assert not proves(0, 0, 20, 0.1)
    assert proves(0, 1, 20, 0.1)


def test_impossible_questions_are_refused() -> None:
    """Counts, margins and confidences that cannot be are told, whichever function is asked."""
    for ask in (proves, proves_beyond, settled, cases_needed):
        with pytest.raises(ValueError, match="broken and 3 fixed of 5 cases; wanted counts that fit"):
            ask(3, 3, 5, 0.1)
        with pytest.raises(ValueError, match=r"margin: found -?1.5; wanted a drop between -1 and 1"):
            ask(0, 0, 5, 1.5)
        with pytest.raises(ValueError, match=r"confidence: found 0.5; wanted a number between 0.5 and 1"):
            ask(0, 0, 5, 0.1, 0.5)
        with pytest.raises(ValueError, match=r"confidence: found 1; wanted a number between 0.5 and 1"):
            ask(0, 0, 5, 0.1, 1)
    for margin in (1.5, -1.5):
        with pytest.raises(ValueError, match=rf"margin: found {margin}; wanted a drop between -1 and 1"):
            smallest_n(margin)
