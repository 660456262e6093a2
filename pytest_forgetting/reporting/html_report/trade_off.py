"""What was lost against what was gained, where suites of `role: target` say what the tuning was for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from pytest_forgetting.comparison.comparison import Comparison
from pytest_forgetting.comparison.formatting import points
from pytest_forgetting.comparison.gates import Evidence, Threshold
from pytest_forgetting.comparison.judge import Judge
from pytest_forgetting.comparison.scopes import ScopeResult, SuiteResult
from pytest_forgetting.reporting.html_report.charts import Axis, axis_over

_LEAST_RANGE = 0.2
"""Of an axis: a change of half a point is not to look like one of fifty."""


@dataclass(frozen=True)
class Extent:
    """One direction of the chart: a value, its interval, and the limit that all its gates share, if they do."""

    value: float
    low: float
    high: float
    limit: float | None
    axis: Axis


@dataclass(frozen=True)
class Trade:
    """All general suites together against all target suites together."""

    gain: Extent
    drop: Extent
    words: str

    @property
    def asked(self) -> bool:
        """Whether all gates of a role have one limit, so that what they ask for is a corner of the chart."""
        return self.gain.limit is not None and self.drop.limit is not None


def trade(comparison: Comparison, confidence: float) -> Trade | None:
    """None where there are no answers to general suites, or none to target suites."""
    asked = [suite for suite in comparison.suites if suite.overall.counts.n]
    general = [suite for suite in asked if suite.suite.role == "general"]
    target = [suite for suite in asked if suite.suite.role == "target"]
    if not general or not target:
        return None
    kept, learned = (_together(suites, confidence) for suites in (general, target))
    assert kept.evidence is not None
    assert learned.evidence is not None
    drop = _extent(float(kept.counts.drop), kept.evidence, _shared([each.suite.gate.max_drop for each in general]))
    least = _shared([each.suite.gate.min_gain for each in target])
    gain = _extent(-float(learned.counts.drop), _mirrored(learned.evidence), least)
    words = f"dropped {_pts(kept.counts.drop)} in general suites, gained {_pts(-learned.counts.drop)} in target suites"
    return Trade(gain, drop, words)


def _together(suites: Sequence[SuiteResult], confidence: float) -> ScopeResult:
    results = [result for suite in suites for result in suite.results if not result.case.measured]
    return Judge(confidence).scope("together", results, Threshold(Fraction(0)), gated=False)


def _mirrored(evidence: Evidence) -> Evidence:
    return Evidence(-evidence.high, -evidence.low, evidence.p_value, evidence.proven, evidence.cases_needed)


def _extent(value: float, evidence: Evidence, limit: Fraction | None) -> Extent:
    known = [value, evidence.low, evidence.high, *([] if limit is None else [float(limit)])]
    axis = axis_over([*known, -_LEAST_RANGE / 2, _LEAST_RANGE / 2])
    return Extent(value, evidence.low, evidence.high, None if limit is None else float(limit), axis)


def _shared(limits: Sequence[Fraction]) -> Fraction | None:
    return limits[0] if len(set(limits)) == 1 else None


def _pts(share: Fraction) -> str:
    return points(Fraction(round(share * 1000), 1000)).replace("-", "−")
