"""Where the marks of charts stand."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.comparison.outcomes import Counts
from pytest_forgetting.reporting.html_report.charts import (
    Axis,
    axis_over,
    drop_axis,
    loss_axis,
    loss_of,
    outcomes_in_words,
    segments,
    tick_in_points,
)
from pytest_forgetting.reporting.html_report.trade_off import trade
from tests.reporting.pages import comparison, everything, outcomes, suite, text


def test_a_bar_is_full_and_in_order() -> None:
    """Each outcome's part begins where the one before it ends; narrow ones have no number."""
    parts = segments(Counts(retained=90, forgotten=5, learned=0, unknown=5))
    assert [(part.outcome, part.start, part.width, part.number) for part in parts] == [
        ("retained", "0.00", "90.00", "90"),
        ("forgotten", "90.00", "5.00", ""),
        ("unknown", "95.00", "5.00", ""),
    ]


def test_parts_of_cases_have_their_place() -> None:
    """Of cases that were asked several times."""
    counts = Counts(retained=Fraction(16, 5), forgotten=Fraction(4, 5))
    assert [part.number for part in segments(counts)] == ["3.2", "0.8"]
    assert outcomes_in_words(counts) == "3.2 retained, 0.8 forgotten"


@given(st.lists(st.floats(-1, 1), max_size=8))
def test_an_axis_has_room_for_all_its_values_and_few_ticks(values: list[float]) -> None:
    """Every value and zero lie within it; ticks are round, in order and within it too."""
    axis = axis_over(values)
    assert all(axis.low <= value <= axis.high for value in [0.0, *values])
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)
    assert len(axis.ticks) <= 7
    assert 0.0 in axis.ticks


def test_places_are_shares_of_the_width() -> None:
    """What lies outside stands at the edge."""
    axis = Axis(-1.0, 1.0)
    assert [axis.at(value) for value in (-1, 0, 0.5, 7)] == ["0.00", "50.00", "75.00", "100.00"]
    assert axis.beyond(0.5) == "25.00"


@pytest.mark.parametrize(("value", "words"), [(-0.2, "−20"), (0.0, "0"), (0.025, "2.5"), (1.0, "100")])
def test_ticks_are_in_points(value: float, words: str) -> None:
    """With a real minus."""
    assert tick_in_points(value) == words


def test_small_reported_categories_do_not_widen_the_axis() -> None:
    """The interval of a category of two cases would press all others together."""
    results = [*outcomes(150), *outcomes(2, category="small")]
    whole = suite("s", results)
    axis = drop_axis([whole.overall, *whole.categories])
    assert axis.low > -0.05
    assert axis.high == pytest.approx(0.1, abs=0.02)


def test_a_limit_for_texts_stands_at_the_loss_that_it_allows() -> None:
    """So many per cent above the baseline's."""
    gated = suite("s", [text("a", 50, 55), text("b", 50, 55)], kind="text", max_increase=Fraction(1, 20)).overall
    loss = loss_of(gated)
    assert loss is not None
    assert (loss.baseline, loss.model, loss.allowed) == pytest.approx((0.5, 0.55, 0.525))
    assert loss.words == "0.500 → 0.550 nats per byte, +10.0 %"
    assert loss_axis([loss]).low > 0.49


def test_drop_and_gain_are_those_of_all_suites_of_a_role() -> None:
    """Texts, which have no answers, left out; the limits only where all gates share one."""
    seen = trade(everything(), 0.95)
    assert seen is not None
    assert seen.gain.value == pytest.approx(0.8)
    assert seen.gain.limit == 0.5
    assert seen.drop.limit is None
    assert not seen.asked
    assert seen.words == "dropped 5.5 pts in general suites, gained 80 pts in target suites"


def test_without_target_suites_there_is_no_gain() -> None:
    """Nor without general ones."""
    assert trade(comparison(suite("s", outcomes(3))), 0.95) is None
    assert trade(comparison(suite("s", outcomes(0, 0, 3), role="target")), 0.95) is None
