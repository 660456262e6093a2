"""Proof from few cases: the exact unconditional test against a drop of a given size.

Tango's statistic is normal for many cases only. Below a hundred, the chance of a statistic as low as the one observed
is counted out, table by table.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_forgetting.comparison.statistics import refuse_counts, tango_z

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

CHURNS = 200
"""Shares of discordant cases that are tried. Four thousand raise no p value below 0.2 by more than 0.0001."""

TIE = 1e-9
"""Statistics that differ by less are equal but for rounding."""


def exact_unconditional_p(broken: int, fixed: int, n: int, margin: float) -> float:
    """The exact p value against "the drop is `margin` or more".

    It is the largest chance, whatever the share of discordant cases (churn), of a Tango statistic as low as the
    observed one if the drop were `margin`. As the statistic rises with every case broken and falls with every case
    fixed (Barnard's condition), larger drops make such tables rarer still. The nuisance parameter is maximised out as
    by Hsueh, Liu and Chen (2001), Biometrics 57:478, over the score statistic, which Lloyd and Moldovan (2008),
    Statistics in Medicine 27:3540, recommend too.

    Args:
        broken: cases right before only.
        fixed: cases right now only.
        n: all cases. All tables of one n and margin are worked out together, in 25 ms for n = 99, and kept.
        margin: the drop in question, in [−1, 1]; a gain where it is negative.

    Raises:
        ValueError: counts that cannot be, or a margin outside [−1, 1].
    """
    refuse_counts(broken, fixed, n)
    return float(_p_values(n, margin)[broken, fixed])


@lru_cache(maxsize=256)
def _p_values(n: int, margin: float) -> NDArray[numpy.float64]:
    """The p values of all tables, by broken and fixed; NaN where they do not fit into n."""
    import numpy

    broken, fixed = numpy.nonzero(numpy.tri(n + 1)[::-1])
    z = numpy.array([tango_z(*table, n, margin) for table in zip(broken.tolist(), fixed.tolist(), strict=True)])
    order = z.argsort()
    last_as_low = z[order].searchsorted(z[order] + TIE, side="right") - 1
    p = numpy.full((n + 1, n + 1), numpy.nan)
    p[broken[order], fixed[order]] = _largest_tails(broken[order], fixed[order], n, margin)[last_as_low]
    return p


def _largest_tails(
    broken: NDArray[numpy.int64], fixed: NDArray[numpy.int64], n: int, margin: float
) -> NDArray[numpy.float64]:
    """For each table, the largest chance over all churns of drawing it or one before it."""
    import numpy

    counts = numpy.stack([broken, fixed, n - broken - fixed])
    log_factorials = numpy.log(numpy.arange(n + 1).clip(1)).cumsum()
    log_ways = log_factorials[n] - log_factorials[counts].sum(axis=0)
    largest, counts_as_floats = numpy.zeros(len(broken)), counts.astype(float)  # products of floats are faster
    for log_shares in _log_shares(margin):
        numpy.maximum(largest, numpy.exp(log_ways + log_shares @ counts_as_floats).cumsum(), out=largest)
    return largest.clip(max=1)


def _log_shares(margin: float) -> NDArray[numpy.float64]:
    """Shares of broken, fixed and other cases that make a drop of `margin`: one row for each churn."""
    import numpy

    # Close together at both ends, where the chances turn soonest.
    way = numpy.sin(numpy.linspace(0, numpy.pi / 2, CHURNS)) ** 2
    churn = abs(margin) + (1 - abs(margin)) * way
    shares = numpy.stack([(churn + margin) / 2, (churn - margin) / 2, 1 - churn], axis=1)
    logs: NDArray[numpy.float64] = numpy.log(shares.clip(1e-300))  # none of a share of 0 is certain: 0 × log, not NaN
    return logs
