"""How much less likely texts became: cross-entropy, its error, and the gate on it."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import inf, sqrt
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from pytest_forgetting.comparison.drift import Drift, drift_of
from pytest_forgetting.comparison.judge import Judge
from pytest_forgetting.comparison.outcomes import CaseResult, Graded
from pytest_forgetting.comparison.scopes import ScopeResult
from pytest_forgetting.settings import Rule
from pytest_forgetting.suites.cases import GatePolicy, Suite
from tests.comparison.measuring import measured, texts

LOSSES = [(20.0, 22.0), (35.5, 35.0), (11.0, 14.5), (50.0, 61.0), (28.0, 27.0)]


def drift(results: Sequence[CaseResult], confidence: float = 0.95) -> Drift:
    """What was measured."""
    found = drift_of(results, confidence)
    assert found is not None
    return found


def test_cross_entropy_is_per_byte_of_all_texts_together() -> None:
    """A long text counts as much as its bytes, which are those of UTF-8: 10 + 6 of them."""
    found = drift([measured(20.0, 30.0), measured(4.0, 6.0, text="äöü")])
    assert (found.texts, found.size) == (2, 16)
    assert found.baseline == pytest.approx(24 / 16)
    assert found.model == pytest.approx(36 / 16)
    assert found.increase == pytest.approx(0.5)


def test_the_error_is_that_of_a_ratio_of_sums() -> None:
    """As numpy computes it from the residuals of each text against the common ratio."""
    had, has = np.array(LOSSES).T
    ratio = has.sum() / had.sum()
    expected = sqrt(np.var(has - ratio * had, ddof=1) / len(had)) / had.mean()
    found = drift(texts(LOSSES))
    assert found.increase == pytest.approx(ratio - 1)
    assert found.error == pytest.approx(expected)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_bounds_are_those_of_students_t(confidence: float) -> None:
    """Each bound is one-sided; the interval for reports is two-sided, and so wider."""
    found = drift(texts(LOSSES), confidence)
    reach = stats.t.ppf(confidence, len(LOSSES) - 1) * found.error
    assert found.bounds(confidence) == pytest.approx((found.increase - reach, found.increase + reach))
    expected = stats.t.interval(confidence, len(LOSSES) - 1, loc=found.increase, scale=found.error)
    assert found.interval == pytest.approx(expected)


def test_the_error_covers_what_it_should() -> None:
    """Of 400 samples of 12 texts, about 95 % have the true increase within their two-sided interval."""
    draw = np.random.default_rng(0)
    hits = 0
    for _ in range(400):
        had = draw.gamma(4.0, 10.0, 12)
        found = drift(texts(list(zip(had, had * (1.1 + draw.normal(0, 0.05, 12)), strict=True))))
        low, high = found.interval
        hits += low <= 0.1 <= high
    assert 0.91 <= hits / 400 <= 0.98


def test_one_text_bounds_nothing() -> None:
    """Certainty from one text would be false."""
    found = drift(texts(LOSSES[:1]))
    assert found.increase == pytest.approx(0.1)
    assert found.bounds(0.95) == (-inf, inf)


def test_equal_losses_are_no_increase() -> None:
    """The same model twice: nothing, to the last bit, and no error."""
    found = drift(texts([(each, each) for each, _ in LOSSES]))
    assert (found.increase, found.error) == (0.0, 0.0)


def test_unanswered_texts_are_left_out() -> None:
    """Of one side as of both; without a measured text there is nothing."""
    silent = replace(measured(20, 30), model=Graded("", "unanswered", False, "NaN"))
    assert drift([*texts(LOSSES), silent]).texts == len(LOSSES)
    assert drift_of([silent], 0.95) is None
    assert drift_of([], 0.95) is None


def test_divergence_is_per_token_of_all_texts_or_none() -> None:
    """Sums over sums; a single text that could not be compared leaves no number for the suite."""
    known = [measured(20, 30, kl=1.0, tokens=10), measured(20, 30, kl=0.5, tokens=2)]
    assert drift(known).divergence == pytest.approx(1.5 / 12)
    assert drift([*known, measured(20, 30)]).divergence is None


def scope(
    results: Sequence[CaseResult], rule: Rule = "threshold", most: Fraction | None = Fraction(1, 10)
) -> ScopeResult:
    """The overall scope of a text suite that may grow by `most`."""
    gate = GatePolicy(rule=rule, max_increase=most)
    suite = Suite(Path("s.yaml"), "s", "text", tuple(each.case for each in results), gate=gate, nodeid="s.yaml")
    return Judge().suite(suite, results).overall


def grown(share: float, spread: float = 0.0, count: int = 8) -> list[CaseResult]:
    """Texts whose losses grew by `share` on the mean, by more and less in turns."""
    return texts([(40.0, 40.0 * (1 + share + spread * (-1) ** n)) for n in range(count)])


@pytest.mark.parametrize(
    ("share", "spread", "rule", "verdict"),
    [
        (0.20, 0.0, "threshold", "fail"),
        (0.05, 0.9, "threshold", "pass"),
        (0.20, 0.01, "significant", "fail"),
        (0.20, 0.15, "significant", "fail"),  # surely grown, though not surely by more than allowed
        (0.20, 0.9, "significant", "inconclusive"),  # beyond, but the texts disagree on whether anything grew
        (0.05, 0.01, "significant", "pass"),
        (0.05, 0.9, "significant", "inconclusive"),
        (0.20, 0.01, "proven", "fail"),
        (0.05, 0.9, "proven", "fail"),
        (0.05, 0.01, "proven", "pass"),
        (-0.30, 0.01, "proven", "pass"),
    ],
)
def test_the_three_rules(share: float, spread: float, rule: Rule, verdict: str) -> None:
    """As for answers: beyond or not, explained by chance or not, proven or not."""
    assert scope(grown(share, spread), rule).ruling.verdict == verdict


def test_an_increase_as_large_as_allowed_passes() -> None:
    """Equal is not beyond: 40 to 50 nats is a quarter, in binary too."""
    assert scope(texts([(40.0, 50.0)] * 3), most=Fraction(1, 4)).ruling.verdict == "pass"
    assert scope(texts([(40.0, 50.5)] * 3), most=Fraction(1, 4)).ruling.verdict == "fail"


def test_the_reason_gives_increase_and_limit() -> None:
    """Above, below, and shrunk."""
    assert scope(grown(0.2)).ruling.because == "cross-entropy +20.0 %, > 10.0 %"
    assert scope(grown(-0.05)).ruling.because == "cross-entropy −5.0 %, ≤ 10.0 %"
    told = scope(grown(0.2, 0.9), "significant").ruling.because
    assert told == "cross-entropy +20.0 %, > 10.0 %, which may be chance"


@pytest.mark.parametrize("rule", ["significant", "proven"])
def test_a_single_text_proves_nothing(rule: Rule) -> None:
    """However much it shrank."""
    assert scope(texts([(40.0, 30.0)]), rule).ruling.verdict == {"significant": "inconclusive", "proven": "fail"}[rule]


def test_without_a_limit_texts_are_reported() -> None:
    """However much less likely they became."""
    assert scope(grown(9.0), most=None).ruling.verdict == "reported"


def test_unanswered_texts_leave_a_gate_nothing_to_go_by() -> None:
    """More than 2 % of them, or all."""
    silent = replace(measured(20, 30), model=Graded("", "unanswered", False, "NaN"))
    some, none = scope([*grown(0.05), silent]).ruling, scope([silent]).ruling
    assert (some.verdict, some.because) == ("inconclusive", "1 of 9 cases unanswered, more than 2 %")
    assert (none.verdict, none.measured) == ("inconclusive", False)


def test_an_adapter_without_effect_is_not_measured() -> None:
    """A cross-entropy that did not grow because nothing was there to make it grow."""
    results = grown(0.0)
    suite = Suite(Path("s.yaml"), "s", "text", (), gate=GatePolicy(max_increase=Fraction(1, 10)), nodeid="s.yaml")
    ruling = Judge(adapter_inert=True).suite(suite, results).overall.ruling
    assert (ruling.verdict, ruling.measured) == ("inconclusive", False)


def test_divergence_is_never_the_gate() -> None:
    """It tells the size of a change, not whether it is one for the worse."""
    far = [replace(each, divergence=1e6, tokens=1) for each in grown(0.0)]
    assert scope(far, "proven").ruling.verdict == "pass"


def test_one_text_has_no_error_and_no_bounds() -> None:
    """It says nothing of others; two say a little."""
    one, two = drift(texts([(20.0, 30.0)])), drift(texts([(20.0, 30.0), (20.0, 24.0)]))
    assert (one.error, one.bounds(0.95)) == (0, (-inf, inf))
    assert two.error == pytest.approx(0.15)  # deviations of ±3 nats: √(2 / 1 · 18) / 40
    reach = 0.15 * stats.t.ppf(0.95, 1)
    assert two.bounds(0.95) == pytest.approx((0.35 - reach, 0.35 + reach))
    assert drift(texts([(0.0, 1.0), (0.0, 2.0)])).error == 0


def test_two_percent_of_texts_may_go_unanswered() -> None:
    """One of fifty, not one of forty-nine."""
    silent = replace(measured(20, 30), model=Graded("", "unanswered", False, "NaN"))
    assert scope([*texts([(20.0, 20.0)] * 49), silent]).ruling.verdict == "pass"
    assert scope([*texts([(20.0, 20.0)] * 48), silent]).ruling.verdict == "inconclusive"


def test_an_increase_as_large_as_allowed_is_not_proven_to_be_less() -> None:
    """All texts alike, so that the bound is the increase itself."""
    at_limit = texts([(40.0, 50.0)] * 3)
    assert scope(at_limit, "significant", most=Fraction(1, 4)).ruling.verdict == "inconclusive"
    assert scope(at_limit, "significant", most=Fraction(1, 4)).ruling.because == "cross-entropy +25.0 %, ≤ 25.0 %"
    proven = scope(texts([(40.0, 42.0)] * 3), "proven", most=Fraction(1, 4)).ruling
    assert (proven.verdict, proven.because) == ("pass", "cross-entropy +5.0 %, ≤ 25.0 %")


def test_an_inert_adapter_is_named_for_texts_too() -> None:
    """As for answers."""
    suite = Suite(Path("s.yaml"), "s", "text", (), gate=GatePolicy(max_increase=Fraction(1, 10)), nodeid="s.yaml")
    told = Judge(adapter_inert=True).suite(suite, texts([(20.0, 20.0)] * 3)).overall.ruling.because
    assert told == "the adapter changes nothing: the baseline was compared with itself"
