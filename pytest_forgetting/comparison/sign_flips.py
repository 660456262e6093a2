"""Whether more was lost than gained, where cases hang together: a test by flipping the signs of whole clusters."""

from __future__ import annotations

from fractions import Fraction
from math import gcd
from typing import TYPE_CHECKING

from pytest_forgetting.comparison.clusters import Differences, in_units

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

FINEST = 2**17, 64
"""Sums of clusters that have no coarser common unit are rounded to this many steps, or to this many a cluster."""


def cluster_sign_flip_p(differences: Differences) -> float:
    """The one-sided mid-p value of "the sum of the differences is above 0", against models that are exchangeable.

    Were they, each cluster's sum could as well have had the other sign: P(S > s) + ½ P(S = s) over all assignments of
    signs, each as likely, for the sum S of all clusters. Winkler et al. (2015), NeuroImage 123:253, flip whole blocks
    for the same reason; mid-p as in `mcnemar_mid_p`, which is this test where every yes-or-no case is its own cluster.

    Grades of cases and averages over samples are multiples of one fraction, so that the distribution of S is built up
    exactly, cluster by cluster, and neither enumeration nor random draws are needed.

    Returns:
        1 where no cluster's sum differs from 0: there is no evidence at all.

    Raises:
        ValueError: no cluster, a cluster without cases, or a difference outside [−1, 1].
    """
    steps = _coarsened([sum(cluster) for cluster in in_units(differences)[0]])
    if not steps:
        return 1.0
    lost = sum(step for step in steps if step > 0)
    chances = _chances([abs(step) for step in steps])
    return float(chances[lost + 1 :].sum() + chances[lost] / 2)


def _coarsened(sums: list[int]) -> list[int]:
    """The sums that are not 0, in the largest unit that they share, or in one large enough to keep the work small."""
    unit = Fraction(max(gcd(*sums), 1))
    reach = sum(map(abs, sums)) / unit
    steps = max(FINEST[0], FINEST[1] * len(sums))
    if reach > steps:
        unit *= reach / steps
    return [step for each in sums if (step := round(each / unit))]


def _chances(sizes: list[int]) -> NDArray[numpy.float64]:
    """The chance of each total of those clusters that come out as lost, all of them at even odds."""
    import numpy

    chances = numpy.zeros(sum(sizes) + 1)
    chances[0] = 1
    for size in sizes:
        chances[size:] += chances[:-size]
        chances /= 2
    return chances
