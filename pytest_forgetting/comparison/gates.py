"""Whether the counts of a scope pass: exact rational thresholds, three verdicts, and the evidence behind them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import Literal

from pytest_forgetting.comparison.clusters import Differences, cluster_interval, design_effect, effective_counts
from pytest_forgetting.comparison.drift import Drift
from pytest_forgetting.comparison.formatting import growth, percent, points
from pytest_forgetting.comparison.outcomes import Counts
from pytest_forgetting.comparison.proof import cases_needed, settled
from pytest_forgetting.comparison.sign_flips import cluster_sign_flip_p
from pytest_forgetting.comparison.statistics import mcnemar_mid_p, tango_interval
from pytest_forgetting.settings import Rule

Verdict = Literal["pass", "fail", "inconclusive", "reported"]

UNANSWERED_LIMIT = Fraction(2, 100)
"""A larger share of unanswered cases leaves a gate nothing to go by."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """What a gate asks of its scope: at most `max_drop` lost, or (`min_gain` given) at least that much gained."""

    max_drop: Fraction
    min_gain: Fraction | None = None
    min_retention: Fraction | None = None
    rule: Rule = "threshold"
    chance: Fraction = Fraction(0)
    """What guessing gets right (choice): a baseline is only as knowing as it is above that."""

    measures: bool = False
    """Texts are measured, in the place of answers counted (text)."""
    max_increase: Fraction | None = None
    """By which share of the baseline's a cross-entropy may grow (text); None: it is only reported."""

    @property
    def allowed(self) -> Fraction:
        """The drop at which the verdict turns."""
        return self.max_drop if self.min_gain is None else -self.min_gain


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the counts say beyond the verdict, for questions like the ones asked."""

    low: float
    """Ends of the two-sided interval for the drop (Tango's score interval)."""
    high: float
    p_value: float
    """One-sided McNemar mid-p against no drop; by clusters where cases hang together."""
    proven: bool
    """Whether the drop is shown to lie on the side of the threshold that it was measured on."""
    cases_needed: int | None
    """About how many more cases would prove it at the same rates; None where proven, or where none would."""
    significant: bool = False
    """Whether more was lost than chance explains; of a family of categories, after Holm's adjustment."""

    @property
    def words(self) -> str:
        """In words, for tables and reports."""
        if self.proven:
            return "proven"
        if self.cases_needed is None:
            return "not proven"
        return f"not proven: about {self.cases_needed} more case{'s' * (self.cases_needed != 1)} would settle it"


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict and why."""

    verdict: Verdict
    because: str
    measured: bool = True
    """False where the run could not have shown any loss: INCONCLUSIVE that fails the build unless `pass` was asked."""
    weighed: bool = True
    """False where something else than the counts decided, so that their evidence is beside the point."""


def rule(
    counts: Counts, threshold: Threshold, evidence: Evidence | None = None, *, adapter_inert: bool = False
) -> Ruling:
    """Judge `counts`.

    A drop equal to the threshold passes. Fractions are compared exactly, so that 8 of 10 against 7 of 10 is a drop of
    one tenth and not of 0.10000000000000009. Where a baseline knows no more than may be lost, no rule can decide. Then,
    by the threshold's rule:

    - ``threshold``: FAIL beyond it, else PASS.
    - ``significant``: FAIL beyond it if chance does not explain a loss, PASS if the drop is proven to be under it.
    - ``proven``: PASS if proven, else FAIL.

    Args:
        counts: of the scope.
        threshold: what is asked of it.
        evidence: of the same counts; needed by all rules but ``threshold``.
        adapter_inert: the candidate is an adapter that changes nothing.
    """
    if adapter_inert:
        return _unmeasured("the adapter changes nothing: the baseline was compared with itself")
    asked = counts.n + counts.unanswered
    if not counts.n:
        return _unmeasured(f"none of {asked} cases was answered by both" if asked else "no cases")
    if counts.unanswered > UNANSWERED_LIMIT * asked:
        told = f"{counts.unanswered} of {asked} cases unanswered"
        if not _lost_anyway(counts, threshold):
            return Ruling("inconclusive", f"{told}, more than 2 %", weighed=False)
        ruling = _loss(counts, threshold, evidence)
        return replace(ruling, because=f"{ruling.because}, whatever becomes of {told}")
    return _gain(counts, threshold, evidence) if threshold.min_gain is not None else _loss(counts, threshold, evidence)


def rule_drift(
    counts: Counts, threshold: Threshold, drift: Drift | None, confidence: float, adapter_inert: bool
) -> Ruling:
    """Judge how much less likely a model holds texts than its baseline did; rules as in `rule`.

    Args:
        counts: of the scope's texts.
        threshold: with a `max_increase`.
        drift: what was measured, None where nothing was.
        confidence: one-sided, for the rules that ask for proof.
        adapter_inert: the candidate is an adapter that changes nothing.
    """
    if adapter_inert or drift is None or counts.unanswered > UNANSWERED_LIMIT * (counts.measured + counts.unanswered):
        return rule(replace(counts, unknown=counts.measured), threshold, adapter_inert=adapter_inert)
    assert threshold.max_increase is not None
    beyond = drift.increase > threshold.max_increase
    told = f"cross-entropy {growth(drift.increase)}, {'>' if beyond else '≤'} {percent(threshold.max_increase)}"
    low, high = drift.bounds(confidence)
    shown = low > 0 if beyond else high < threshold.max_increase
    if threshold.rule == "threshold" or (shown and (beyond or threshold.rule == "significant")):
        return Ruling("fail" if beyond else "pass", told)
    if threshold.rule == "proven":
        return Ruling("pass" if shown and not beyond else "fail", told)
    return Ruling("inconclusive", f"{told}, which may be chance" if beyond else told)


def _lost_anyway(counts: Counts, threshold: Threshold) -> bool:
    """Whether more is lost than may be even if the model alone is right in every case that went unanswered.

    Without this a model would pass that forgot much and says nothing at all now and then.
    """
    at_best = Fraction(counts.forgotten - counts.learned - counts.unanswered, counts.n + counts.unanswered)
    return threshold.min_gain is None and at_best > threshold.max_drop


def _unmeasured(told: str) -> Ruling:
    return Ruling("inconclusive", told, measured=False, weighed=False)


def _gain(counts: Counts, threshold: Threshold, evidence: Evidence | None) -> Ruling:
    short = counts.drop > threshold.allowed
    told = f"gained {'<' if short else '≥'} {points(-threshold.allowed)}"
    return _by_rule(threshold.rule, short, told, evidence, shown=evidence is not None and evidence.proven)


def _loss(counts: Counts, threshold: Threshold, evidence: Evidence | None) -> Ruling:
    if counts.baseline_accuracy - threshold.chance <= threshold.max_drop:
        guessed = f" beyond guessing ({percent(threshold.chance)})" if threshold.chance else ""
        return _unmeasured(f"the baseline does not know this{guessed}: nothing to forget")
    beyond, least = counts.drop > threshold.max_drop, threshold.min_retention
    if not beyond and least is not None and (counts.retention or 0) < least:
        return Ruling("fail", f"retention {percent(counts.retention)} < {percent(least)}")
    told = f"{'>' if beyond else '≤'} {points(threshold.max_drop)}"
    return _by_rule(threshold.rule, beyond, told, evidence, shown=evidence is not None and evidence.significant)


def _by_rule(name: Rule, beyond: bool, told: str, evidence: Evidence | None, *, shown: bool) -> Ruling:
    """The ruling on a drop that is `beyond` what is allowed, or not; `shown`: chance does not explain it."""
    if name == "threshold":
        return Ruling("fail" if beyond else "pass", told)
    assert evidence is not None, "there are cases"
    if not beyond and evidence.proven:
        return Ruling("pass", told)
    if name == "proven" or (beyond and shown):
        return Ruling("fail", told)
    return Ruling("inconclusive", f"{told}, which may be chance" if beyond else told)


def weigh(counts: Counts, allowed: Fraction, confidence: float, together: Differences | None = None) -> Evidence | None:
    """Interval, p and proof for a drop that may be at most `allowed`; None without cases.

    Args:
        counts: of the scope.
        allowed: the drop at which the verdict turns.
        confidence: two-sided for the interval, one-sided for the rest.
        together: the same cases by cluster, where some of them hang together; None: each stands by itself.
    """
    if not counts.n:
        return None
    margin = float(allowed)
    if together is None:
        assert isinstance(counts.forgotten, int)
        assert isinstance(counts.learned, int), "cases that count in parts come with their differences"
        table, effect = (counts.forgotten, counts.learned, counts.n), 1.0
        low, high = tango_interval(*table, confidence)
        p = mcnemar_mid_p(counts.forgotten, counts.learned)
    else:
        table, effect = effective_counts(together), design_effect(together)
        low, high = cluster_interval(together, confidence)
        p = cluster_sign_flip_p(together)
    proven = settled(*table, margin, confidence)
    more = None if proven else cases_needed(*table, margin, confidence)
    return Evidence(low, high, p, proven, None if more is None else ceil(more * effect), p < 1 - confidence)
