"""Whether the counts of a scope pass: exact rational thresholds, three verdicts, and the evidence behind them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from statistics import NormalDist
from typing import Literal

from pytest_forgetting.comparison.outcomes import Counts
from pytest_forgetting.comparison.statistics import mcnemar_mid_p, tango_interval, tango_z

Verdict = Literal["pass", "fail", "inconclusive", "reported"]

UNANSWERED_LIMIT = Fraction(2, 100)
"""A larger share of unanswered cases leaves a gate nothing to go by."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """What a gate asks of its scope: at most `max_drop` lost, or (`min_gain` given) at least that much gained."""

    max_drop: Fraction
    min_gain: Fraction | None = None
    min_retention: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict and why."""

    verdict: Verdict
    because: str
    measured: bool = True
    """False where the run could not have shown any loss: INCONCLUSIVE that fails the build unless `pass` was asked."""


def rule(counts: Counts, threshold: Threshold, *, adapter_inert: bool = False) -> Ruling:
    """Judge `counts` by rule `threshold`.

    A drop equal to the threshold passes. Fractions are compared exactly, so that 8 of 10 against 7 of 10 is a drop of
    one tenth and not of 0.10000000000000009.
    """
    if adapter_inert:
        return Ruling("inconclusive", "the adapter changes nothing: the baseline was compared with itself", False)
    asked = counts.n + counts.unanswered
    if not counts.n:
        return Ruling("inconclusive", f"none of {asked} cases was answered by both" if asked else "no cases", False)
    if counts.unanswered > UNANSWERED_LIMIT * asked:
        return Ruling("inconclusive", f"{counts.unanswered} of {asked} cases unanswered, more than 2 %")
    return _gain(counts, threshold.min_gain) if threshold.min_gain is not None else _loss(counts, threshold)


def _gain(counts: Counts, min_gain: Fraction) -> Ruling:
    enough = -counts.drop >= min_gain
    return Ruling("pass" if enough else "fail", f"gained {'≥' if enough else '<'} {points(min_gain)}")


def _loss(counts: Counts, threshold: Threshold) -> Ruling:
    if counts.baseline_accuracy <= threshold.max_drop:
        return Ruling("inconclusive", "the baseline does not know this: nothing to forget", False)
    if counts.drop > threshold.max_drop:
        return Ruling("fail", f"> {points(threshold.max_drop)}")
    least = threshold.min_retention
    if least is not None and (counts.retention or 0) < least:
        return Ruling("fail", f"retention {percent(counts.retention)} < {percent(least)}")
    return Ruling("pass", f"≤ {points(threshold.max_drop)}")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the counts say beyond the verdict, for questions like the ones asked."""

    low: float
    """Ends of the interval for the drop (Tango's score interval)."""
    high: float
    p_value: float
    """One-sided McNemar mid-p against no drop."""
    proven: bool
    """Whether the drop is shown to lie on the side of the threshold that it was measured on."""
    cases_needed: int | None
    """About how many more cases would prove it at the same rates; None where proven, or where none would."""

    @property
    def words(self) -> str:
        """In words, for tables and reports."""
        if self.proven:
            return "proven"
        if self.cases_needed is None:
            return "not proven"
        return f"not proven: about {self.cases_needed} more case{'s' * (self.cases_needed != 1)} would settle it"


def weigh(counts: Counts, allowed: Fraction, confidence: float) -> Evidence | None:
    """Interval, p and proof for a drop that may be at most `allowed`; None without cases."""
    if not counts.n:
        return None
    low, high = tango_interval(counts.forgotten, counts.learned, counts.n, confidence)
    z = tango_z(counts.forgotten, counts.learned, counts.n, float(allowed))
    wanted = NormalDist().inv_cdf(confidence)  # scipy.stats would cost every run more than a second of import
    proven = abs(z) >= wanted
    # At constant rates Tango's statistic grows with the square root of n.
    needed = None if proven or z == 0 else ceil(counts.n * (wanted / z) ** 2) - counts.n
    return Evidence(low, high, mcnemar_mid_p(counts.forgotten, counts.learned), proven, needed)


def percent(share: Fraction | None) -> str:
    """A share for people: ``94.2 %``."""
    return "–" if share is None else f"{float(share) * 100:.1f} %"


def points(share: Fraction) -> str:
    """A difference of shares for people: ``10 pts``."""
    return f"{float(share) * 100:g} pts"
