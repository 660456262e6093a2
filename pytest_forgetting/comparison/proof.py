"""Whether a drop is proven to lie under what is allowed, or beyond it, and how many cases that takes."""

from __future__ import annotations

from bisect import bisect_left
from itertools import count
from math import ceil, isclose, log, log1p
from statistics import NormalDist

from pytest_forgetting.comparison.exact import exact_unconditional_p
from pytest_forgetting.comparison.statistics import refuse_counts, tango_z

EXACT_BELOW = 100
"""Fewer cases are judged by the exact test. From here on Tango's score rules out a true drop in at most 6 % of runs."""


def proves(broken: int, fixed: int, n: int, margin: float, confidence: float = 0.95) -> bool:
    """Whether a drop of `margin` or more is ruled out.

    Below a hundred cases by the exact unconditional test, from there on by Tango's score (1998), Statistics in
    Medicine 17:891: Z(margin) ≤ −z. A negative margin asks for a gain: `-0.02` whether 2 points or less are ruled out.

    Args:
        broken: cases right before only.
        fixed: cases right now only.
        n: all cases.
        margin: the drop in question, in [−1, 1].
        confidence: one-sided, above one half, as else a drop and its contrary could both be proven.

    Raises:
        ValueError: counts, a margin or a confidence that cannot be.
    """
    _refuse_confidence(confidence)
    if n < EXACT_BELOW:
        return exact_unconditional_p(broken, fixed, n, margin) <= 1 - confidence
    return tango_z(broken, fixed, n, margin) <= -NormalDist().inv_cdf(confidence)


def proves_beyond(broken: int, fixed: int, n: int, margin: float, confidence: float = 0.95) -> bool:
    """Whether a drop of `margin` or less is ruled out: the loss is shown to be larger, or the gain to fall short.

    The question of `proves` with the two models exchanged; arguments and errors are its own. From a hundred cases on it
    is the less certain of the two: where cases are broken only, and hardly more than n × margin = 3 of them, Tango's
    score errs in up to 9 % of runs.
    """
    return proves(fixed, broken, n, -margin, confidence)


def settled(broken: int, fixed: int, n: int, margin: float, confidence: float = 0.95) -> bool:
    """Whether the drop is shown to lie on that side of `margin` on which it was measured."""
    beyond = broken - fixed > n * margin
    return (proves_beyond if beyond else proves)(broken, fixed, n, margin, confidence)


def smallest_n(margin: float, confidence: float = 0.95) -> int | None:
    """The fewest cases that rule out a drop of `margin` if the models agree on every one; None where no number does.

    Exactly, they are at least ln(1 − confidence) / ln(1 − margin), the chance of seeing nothing lost being
    (1 − margin)ⁿ where nothing is learned either; a few more where another churn makes tables as telling likelier.
    By Tango's score they are z²(1 − margin) / margin.

    Raises:
        ValueError: a margin or a confidence that cannot be.
    """
    _refuse_confidence(confidence)
    if margin <= 0:
        tango_z(0, 0, 1, margin)  # refuses what is no margin
        return None
    exactly = log(1 - confidence) / log1p(-margin) if margin < 1 else 0
    by_score = NormalDist().inv_cdf(confidence) ** 2 * (1 - margin) / margin
    small, large = range(max(1, int(exactly)), EXACT_BELOW), count(max(EXACT_BELOW, int(by_score)))
    return next(n for sizes in (small, large) for n in sizes if proves(0, 0, n, margin, confidence))


def cases_needed(broken: int, fixed: int, n: int, margin: float, confidence: float = 0.95) -> int | None:
    """About how many more cases would settle it at the same rates; 0 where it is, None where no number would.

    Below a hundred cases in all, as many as make `settled` say so of the counts scaled up and rounded. From there on,
    Tango's statistic grows with the square root of n.

    Raises:
        ValueError: counts, a margin or a confidence that cannot be.
    """
    refuse_counts(broken, fixed, n)
    if settled(broken, fixed, n, margin, confidence):
        return 0
    if isclose(broken - fixed, n * margin):
        return None
    sizes = range(n + 1, EXACT_BELOW)
    fewer = bisect_left(sizes, True, key=lambda size: settled(*_scaled(broken, fixed, n, size), margin, confidence))
    if fewer < len(sizes):
        return fewer + 1
    ratio = NormalDist().inv_cdf(confidence) / tango_z(broken, fixed, n, margin)
    return max(EXACT_BELOW, ceil(n * ratio**2)) - n


def _scaled(broken: int, fixed: int, n: int, size: int) -> tuple[int, int, int]:
    """The counts that `size` cases would have at the same rates."""
    lost, discordant = round(broken * size / n), round((broken + fixed) * size / n)
    return lost, discordant - lost, size


def _refuse_confidence(confidence: float) -> None:
    if not 0.5 < confidence < 1:
        raise ValueError(f"confidence: found {confidence}; wanted a number between 0.5 and 1")
