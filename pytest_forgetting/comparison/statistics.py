"""How sure a drop is: tests and intervals for paired yes-or-no results.

Of n cases that both models answered, `broken` were right before only, `fixed` are right now only. The drop is
(broken − fixed) / n; positive is bad. All other cases matter through n alone.
"""

from __future__ import annotations

from collections.abc import Callable
from math import copysign, inf, sqrt
from statistics import NormalDist

ROOT_WITHIN = 1e-12
"""How closely the ends of an interval are found."""


def mcnemar_mid_p(broken: int, fixed: int) -> float:
    """The one-sided McNemar mid-p value of "more was broken than fixed", against no drop.

    P(X > broken) + ½ P(X = broken) for X ~ Binomial(broken + fixed, ½). Without a discordant case it is 1: there is
    no evidence at all. Recommended over the exact conditional test by Fagerland, Lydersen and Laake (2013), BMC Med.
    Res. Methodol. 13:91, who found its level kept in all of their scenarios.

    Raises:
        ValueError: a count is negative.
    """
    discordant = broken + fixed
    refuse_counts(broken, fixed, max(discordant, 1))
    if discordant == 0:
        return 1.0
    if fixed > broken:
        return 1 - mcnemar_mid_p(fixed, broken)
    ways, more = 0, 1  # ways to fix fewer than `fixed`, and to fix one more than those: whole numbers, exact
    for done in range(fixed):
        ways, more = ways + more, more * (discordant - done) // (done + 1)
    # By symmetry P(X > broken) is P(X < fixed).
    return (2 * ways + more) / (1 << (discordant + 1))


def tango_z(broken: float, fixed: float, n: float, margin: float) -> float:
    """Tango's score statistic of the observed drop against a drop of `margin`.

    Z(Δ) = (b − c − nΔ) / √(n(2p̃ + Δ(1 − Δ))), where p̃ = (√(B² − 4AC) − B) / 2A is the likeliest share of fixed cases
    if the drop were Δ: A = 2n, B = (2n − b + c)Δ − b − c, C = −cΔ(1 − Δ). A drop of `margin` or more is ruled out,
    with 95 % confidence, where Z ≤ −1.645. Tango (1998), Statistics in Medicine 17:891.

    Args:
        broken: cases right before only (b); not whole where each case is an average over samples.
        fixed: cases right now only (c), likewise.
        n: all cases.
        margin: the drop in question, in [−1, 1].

    Returns:
        Normal under the drop in question; ±inf where that drop leaves no room for chance.

    Raises:
        ValueError: counts that cannot be, or a margin outside [−1, 1].
    """
    refuse_counts(broken, fixed, n)
    if not -1 <= margin <= 1:
        raise ValueError(f"margin: found {margin}; wanted a drop between -1 and 1")
    if margin < 0:  # the same question, asked so that the variance has no differences in it
        return -tango_z(fixed, broken, n, -margin)
    distance = broken - fixed - n * margin
    variance = n * (2 * _fixed_share(broken, fixed, n, margin) + margin * (1 - margin))
    if variance <= 0:
        return copysign(inf, distance) if distance else 0.0
    return distance / sqrt(variance)


def tango_interval(broken: int, fixed: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Tango's score interval of the drop, two-sided: the drops that `tango_z` does not rule out.

    Its ends are the roots of Z(Δ) = ±z. Without a discordant case they are ±z²/(n + z²), where Wald and bootstrap
    intervals shrink to a point. Recommended by Fagerland, Lydersen and Laake (2014), Statistics in Medicine 33:2850.

    Raises:
        ValueError: counts that cannot be, or a confidence outside (0, 1).
    """
    refuse_counts(broken, fixed, n)
    return score_interval(lambda margin: tango_z(broken, fixed, n, margin), (broken - fixed) / n, confidence)


def score_interval(statistic: Callable[[float], float], drop: float, confidence: float = 0.95) -> tuple[float, float]:
    """The drops that a score statistic does not rule out, two-sided: the roots of Z = ±z.

    Args:
        statistic: Z of a drop in question; it falls as that drop grows, and is 0 at the measured one.
        drop: the measured one.
        confidence: of the interval.

    Raises:
        ValueError: a confidence outside (0, 1).
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: found {confidence}; wanted a number between 0 and 1")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    low = _root(lambda margin: statistic(margin) - z, -1.0, drop)
    high = _root(lambda margin: statistic(margin) + z, drop, 1.0)
    return low, high


def refuse_counts(broken: float, fixed: float, n: float) -> None:
    """Raise ValueError for counts that cannot be."""
    if min(broken, fixed) < 0 or not broken + fixed <= n >= 1:
        found = f"{broken} broken and {fixed} fixed of {n} cases"
        raise ValueError(f"found {found}; wanted counts that fit into n, 1 or more")


def _fixed_share(broken: float, fixed: float, n: float, margin: float) -> float:
    """The likeliest share of fixed cases if the drop were `margin`, which is not negative."""
    a = 2 * n
    b = (2 * n - broken + fixed) * margin - broken - fixed
    c = -fixed * margin * (1 - margin)
    root = sqrt(b * b - 4 * a * c)
    return -2 * c / (b + root) if b > 0 else (root - b) / (2 * a)


def _root(excess: Callable[[float], float], low: float, high: float) -> float:
    """Where `excess`, which falls from `low` to `high`, is 0; an end where it nowhere is."""
    if excess(low) <= 0:
        return low
    if excess(high) >= 0:
        return high
    while high - low > ROOT_WITHIN:  # some forty steps; importing scipy takes a quarter of a second
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return (low + high) / 2
