"""Where the marks of the page's charts stand: shares of a width, so that a chart fits a telephone and a wall."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import floor, isfinite

from pytest_forgetting.comparison.formatting import amount, growth, points
from pytest_forgetting.comparison.outcomes import Counts
from pytest_forgetting.comparison.scopes import ScopeResult, SuiteResult

SEGMENTS = ("retained", "forgotten", "learned", "unknown")
ROOM_FOR_A_NUMBER = 9.0
"""Per cent of a bar's width that a number needs on a narrow screen."""
MOST_CATEGORIES = 60
"""Categories of one suite that are drawn and listed: those that lost most; the JSON report has them all."""
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
_MOST_TICKS = 5


@dataclass(frozen=True)
class Axis:
    """A stretch of numbers laid over a width of 100 %."""

    low: float
    high: float

    def at(self, value: float) -> str:
        """Where `value` stands, in per cent of the width; what lies outside stands at the edge."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return f"{share * 100:.2f}"

    def beyond(self, value: float) -> str:
        """How much room there is right of `value`, in per cent of the width."""
        return f"{100 - float(self.at(value)):.2f}"

    @property
    def ticks(self) -> list[float]:
        """Round numbers within it, at most five or so."""
        wanted = (self.high - self.low) / _MOST_TICKS
        step = next((step for step in _STEPS if step >= wanted), wanted)
        first = -floor(-self.low / step + 1e-9)
        numbers = (n * step for n in range(first, floor(self.high / step + 1e-9) + 1))
        return [round(number, 10) + 0.0 for number in numbers]


def axis_over(values: Iterable[float]) -> Axis:
    """An axis that has room for all of `values`, and for zero."""
    known = [0.0, *(value for value in values if isfinite(value))]
    margin = 0.04 * ((max(known) - min(known)) or 1.0)
    return Axis(min(known) - margin, max(known) + margin)


@dataclass(frozen=True)
class Segment:
    """One outcome's part of a bar, in per cent of its width."""

    outcome: str
    start: str
    width: str
    middle: str
    number: str
    """Empty where the part is too narrow for it."""


def segments(counts: Counts) -> list[Segment]:
    """A bar as long as all answered cases."""
    return list(_segments(counts))


def _segments(counts: Counts) -> Iterator[Segment]:
    start = 0.0
    for outcome in SEGMENTS:
        cases = getattr(counts, outcome)
        width = 100 * float(cases) / (counts.n or 1)
        if cases:
            number = amount(cases) if width >= ROOM_FOR_A_NUMBER else ""
            yield Segment(outcome, f"{start:.2f}", f"{width:.2f}", f"{start + width / 2:.2f}", number)
        start += width


def outcomes_in_words(counts: Counts) -> str:
    """``5 retained, 115 forgotten``: what a bar shows, for those who do not see it."""
    return ", ".join(f"{amount(getattr(counts, name))} {name}" for name in SEGMENTS if getattr(counts, name))


def shown_categories(suite: SuiteResult) -> tuple[list[ScopeResult], int]:
    """The categories of `suite` to be shown, and how many are left out: never one with a gate that did not pass."""
    if len(suite.categories) <= MOST_CATEGORIES:
        return list(suite.categories), 0
    worst = sorted(suite.categories, key=_goodness)[:MOST_CATEGORIES]
    red = [scope for scope in suite.categories if _goodness(scope)[0] == 0]
    kept = {id(scope) for scope in (*worst, *red)}
    shown = [scope for scope in suite.categories if id(scope) in kept]
    return shown, len(suite.categories) - len(shown)


def _goodness(scope: ScopeResult) -> tuple[int, float]:
    lost = float(scope.counts.drop) if scope.drift is None else scope.drift.increase
    return int(scope.ruling.verdict not in ("fail", "inconclusive")), -lost


def drop_axis(scopes: Sequence[ScopeResult]) -> Axis:
    """Room for the intervals and thresholds of all gates, and for the drops of what is only reported.

    The interval of a category of one case is nearly as wide as can be, and would press all others together.
    """
    values: list[float] = []
    for scope in scopes:
        gated = scope.ruling.verdict != "reported"
        values.append(float(scope.counts.drop))
        if gated and scope.evidence is not None:
            values += [scope.evidence.low, scope.evidence.high, float(scope.threshold.allowed)]
    axis = axis_over(values)
    return Axis(max(axis.low, -1.04), min(axis.high, 1.04))


@dataclass(frozen=True)
class Loss:
    """Texts: what both models need per byte, and what the model may need."""

    baseline: float
    model: float
    allowed: float | None
    words: str

    @property
    def values(self) -> list[float]:
        """What an axis must have room for."""
        return [self.baseline, self.model, *([] if self.allowed is None else [self.allowed])]


def loss_of(scope: ScopeResult) -> Loss | None:
    """None where `scope` has no texts."""
    drift = scope.drift
    if drift is None:
        return None
    most = scope.threshold.max_increase
    gated = most is not None and scope.ruling.verdict != "reported"
    words = f"{drift.baseline:.3f} → {drift.model:.3f} nats per byte, {growth(drift.increase)}"
    return Loss(drift.baseline, drift.model, drift.baseline * (1 + float(most or 0)) if gated else None, words)


def loss_axis(losses: Sequence[Loss]) -> Axis:
    """Beginning where the smallest does, as nobody compares a loss with none."""
    values = [value for loss in losses for value in loss.values]
    margin = 0.08 * ((max(values) - min(values)) or max(values) or 1.0)
    return Axis(max(0.0, min(values) - margin), max(values) + margin)


def tick_in_points(value: float) -> str:
    """``−20`` for a share of −0.2."""
    return f"{round(value * 100, 6):g}".replace("-", "−")


def allowed_in_words(scope: ScopeResult) -> str:
    """What the gate allows, for those who do not see its mark."""
    if scope.threshold.min_gain is not None:
        return f"must gain {points(scope.threshold.min_gain)}"
    return f"may drop {points(scope.threshold.max_drop)}"
