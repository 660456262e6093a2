"""All results that n paired cases can have, and how likely those of one kind are."""

from collections.abc import Callable, Iterator
from math import comb

import numpy

Verdict = Callable[[int, int], bool]
RARE = 1e-12
"""Tables that are less likely are left out: all of them together come to less than 1e-7."""


def tables(n: int) -> Iterator[tuple[int, int]]:
    """Broken and fixed, in every way that fits into n."""
    return ((broken, fixed) for broken in range(n + 1) for fixed in range(n + 1 - broken))


def chances(n: int, verdict: Verdict, drop: float, churns: list[float]) -> list[float]:
    """How likely `verdict` is for each churn (share of discordant cases), the true drop being `drop`."""
    broken, fixed = numpy.array(list(tables(n))).T
    ways = numpy.array([float(comb(n, b) * comb(n - b, c)) for b, c in tables(n)])
    shares = [((churn + drop) / 2, max((churn - drop) / 2, 0), 1 - churn) for churn in churns]
    likely = numpy.array([ways * p**broken * r**fixed * s ** (n - broken - fixed) for p, r, s in shares])
    asked = likely.max(axis=0) > RARE
    told = [verdict(*table) for table in zip(broken[asked].tolist(), fixed[asked].tolist(), strict=True)]
    return [float(row[asked] @ told) for row in likely]
