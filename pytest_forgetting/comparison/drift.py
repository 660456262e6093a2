"""How much less likely a model holds texts than its baseline did: cross-entropy and divergence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

from pytest_forgetting.comparison.outcomes import CaseResult


@dataclass(frozen=True)
class Drift:
    """What was measured over texts."""

    texts: int
    size: int
    """Bytes of all texts in UTF-8."""
    baseline: float
    """Cross-entropy in nats per byte: of all texts together, so that long ones count more."""
    model: float
    error: float
    """The standard error of `increase` over texts like these; 0 where there is only one, which says nothing."""
    confidence: float
    """Of the interval that reports show."""
    divergence: float | None
    """KL(baseline‖model) in nats per token; None where vocabularies differ, or a side cannot be asked."""

    @property
    def increase(self) -> float:
        """By which share of the baseline's the cross-entropy grew; positive is bad."""
        return self.model / self.baseline - 1 if self.baseline else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the two-sided interval for the increase; infinite where there is only one text."""
        return self.bounds((1 + self.confidence) / 2)

    def bounds(self, confidence: float) -> tuple[float, float]:
        """The least and the largest increase that texts like these leave possible, each one-sided, by Student's t."""
        if self.texts < 2:
            return -inf, inf
        from scipy.stats import t

        reach = float(t.ppf(confidence, self.texts - 1)) * self.error
        return self.increase - reach, self.increase + reach


def drift_of(results: Sequence[CaseResult], confidence: float) -> Drift | None:
    """Measure the texts of `results` that both sides have scored; None where there is none.

    Cross-entropy is per byte, as models with other tokenizers part a text otherwise. The increase is a ratio of sums;
    its error is that of a ratio estimator (Cochran 1977, Sampling Techniques, formula 6.13): √(n Σ(mᵢ − R bᵢ)² /
    (n − 1)) / Σbᵢ for the texts' losses bᵢ before and mᵢ now, R = Σm / Σb.
    """
    measured = [result for result in results if result.outcome == "measured"]
    if not measured:
        return None
    losses = [(-result.baseline.loglikelihoods[0], -result.model.loglikelihoods[0]) for result in measured]
    before, now = (sum(side) for side in zip(*losses, strict=True))
    size = sum(len(result.case.prompt.continuations[0].encode("utf-8", "surrogatepass")) for result in measured)
    error, divergence = _error(losses, before, now), divergence_of(measured)
    return Drift(len(measured), size, before / size, now / size, error, confidence, divergence)


def _error(losses: Sequence[tuple[float, float]], before: float, now: float) -> float:
    n = len(losses)
    if n < 2 or not before:
        return 0.0
    ratio = now / before
    return sqrt(n / (n - 1) * sum((m - ratio * b) ** 2 for b, m in losses)) / before


def divergence_of(results: Sequence[CaseResult]) -> float | None:
    """KL(baseline‖model) in nats per token, over the texts of `results`; None unless it is known of each of them."""
    known = [(result.divergence, result.tokens) for result in results if result.divergence is not None]
    if not known or len(known) < len(results):
        return None
    return sum(nats for nats, _ in known) / sum(tokens for _, tokens in known)
