"""Cases that hang together, or that are averages over samples: what they weigh as cases that do neither.

Cases of one cluster (paraphrases, questions on one text) tend to be lost together, so that a hundred of them tell less
than a hundred cases. A case asked K times tells more than one asked once. Both show in the variance of the differences
(baseline − model, −1 to 1) between clusters; a case without a cluster is its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm, sqrt

from pytest_forgetting.comparison.statistics import score_interval, tango_z

Differences = Sequence[Sequence[Fraction | float]]
"""Baseline's grade less the model's for each case, cluster by cluster."""

MOST_SAMPLES = 1000
"""Floats are taken as fractions with at most this denominator, as averages over samples are."""


def in_units(differences: Differences) -> tuple[list[list[int]], int]:
    """The differences as whole numbers of the largest unit that they share, and how many of it make 1.

    Raises:
        ValueError: no cluster, a cluster without cases, or a difference outside [−1, 1].
    """
    if not len(differences) or not all(len(cluster) for cluster in differences):
        raise ValueError("differences: found none, or a cluster without any; wanted clusters of one case or more")
    exact = {difference: _as_fraction(difference) for cluster in differences for difference in set(cluster)}
    unit = lcm(*(fraction.denominator for fraction in exact.values()))
    whole = {difference: int(fraction * unit) for difference, fraction in exact.items()}
    return [[whole[difference] for difference in cluster] for cluster in differences], unit


def clustered_standard_error(differences: Differences) -> float:
    """The standard error of the mean difference, robust to what cases of one cluster share.

    √(Σ_clusters (Σ residuals)²) / n, after Miller (2024), "Adding Error Bars to Evals", arXiv:2411.00640; with every
    case its own cluster, the paired standard error. 0 where nothing changed, which is ignorance and not certainty:
    tests and intervals here are built on `design_effect`.

    Raises:
        ValueError: no cluster, a cluster without cases, or a difference outside [−1, 1].
    """
    tally = _tally(differences)
    return sqrt(tally.squares_between) / tally.n


def design_effect(differences: Differences) -> float:
    """How many times the drop's variance is that of as many independent yes-or-no cases: see `effective_counts`.

    Raises:
        ValueError: no cluster, a cluster without cases, or a difference outside [−1, 1].
    """
    return float(_tally(differences).effect)


def effective_counts(differences: Differences) -> tuple[int, int, int]:
    """Broken, fixed and all cases, divided by the design effect and rounded: as many independent cases tell as much.

    What is said of counts of independent cases then holds of clusters: Rao and Scott (1992), Biometrics 48:577. Ask
    `proves` about them; `cases_needed` of them, times the design effect, is in real cases. In simulations of a true
    drop of 0.10 in 6 to 90 clusters, of equal and of very unequal sizes, with all, half or none of the flips shared,
    `proves` ruled it out in at most 6 % of runs, where Tango's statistic of the bare counts did in up to 40 %.

    Returns:
        The counts themselves where every yes-or-no case is its own cluster. Clusters, counted as cases, where no case
        is discordant and all clusters have one size.

    Raises:
        ValueError: no cluster, a cluster without cases, or a difference outside [−1, 1].
    """
    tally = _tally(differences)
    n = int(tally.n / tally.effect)
    broken = min(round(tally.broken / tally.effect), n)
    return broken, min(round(tally.fixed / tally.effect), n - broken), n


def clustered_z(differences: Differences, margin: float) -> float:
    """Tango's score statistic of the measured drop against a drop of `margin`, with the variance that clusters have.

    Z / √(design effect): `tango_z` itself where every yes-or-no case is its own cluster.

    Raises:
        ValueError: no cluster, a cluster without cases, a difference or a margin outside [−1, 1].
    """
    return _tally(differences).z(margin)


def cluster_interval(differences: Differences, confidence: float = 0.95) -> tuple[float, float]:
    """The drops that `clustered_z` does not rule out, two-sided; Tango's interval for independent yes-or-no cases.

    Raises:
        ValueError: no cluster, a cluster without cases, a difference outside [−1, 1], a confidence outside (0, 1).
    """
    tally = _tally(differences)
    return score_interval(tally.z, float((tally.broken - tally.fixed) / tally.n), confidence)


@dataclass(frozen=True, slots=True)
class _Tally:
    """What differences come to, exactly."""

    n: int
    broken: Fraction
    fixed: Fraction
    squares_between: Fraction
    """Of the clusters' summed residuals."""
    size: Fraction
    """Of the cluster in which the average case finds itself."""

    @property
    def effect(self) -> Fraction:
        """Squares between clusters over those that as many yes-or-no cases would have, one cluster added to both.

        Without a discordant case both are 0, and a standard error of 0 would prove anything. So both are given what
        one more cluster of the usual size adds, half of it lost and half gained; Agresti and Min (2005), Statistics in
        Medicine 24:729, add half a case likewise. Without discordant cases the effect is then the clusters' size: what
        counts is how many clusters there are.
        """
        squares = self.broken + self.fixed - (self.broken - self.fixed) ** 2 / self.n
        return (self.squares_between + self.size**2) / (squares + self.size)

    def z(self, margin: float) -> float:
        """Tango's statistic, its variance multiplied by the design effect."""
        return tango_z(float(self.broken), float(self.fixed), self.n, margin) / sqrt(self.effect)


def _tally(differences: Differences) -> _Tally:
    clusters, unit = in_units(differences)
    cases = [case for cluster in clusters for case in cluster]
    n, total, broken = len(cases), sum(cases), sum(case for case in cases if case > 0)
    between = sum((n * sum(cluster) - len(cluster) * total) ** 2 for cluster in clusters)
    size = Fraction(sum(len(cluster) ** 2 for cluster in clusters), n)
    return _Tally(n, Fraction(broken, unit), Fraction(broken - total, unit), Fraction(between, (n * unit) ** 2), size)


def _as_fraction(difference: Fraction | float) -> Fraction:
    if not -1 <= difference <= 1:
        raise ValueError(f"difference: found {difference}; wanted a number between -1 and 1")
    return Fraction(difference).limit_denominator(MOST_SAMPLES)
