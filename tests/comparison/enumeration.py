"""All results that n paired cases can have, and how likely those of one kind are."""

from collections.abc import Callable, Iterator
from math import comb

import numpy

Verdict = Callable[[int, int], bool]


def tables(n: int) -> Iterator[tuple[int, int]]:
    """Broken and fixed, in every way that fits into n."""
    return ((broken, fixed) for broken in range(n + 1) for fixed in range(n + 1 - broken))


def chances(n: int, verdict: Verdict, drop: float, churns: list[float]) -> list[float]:
    """How likely `verdict` is for each churn (share of discordant cases), the true drop being `drop`."""
    telling = [table for table in tables(n) if verdict(*table)]
    broken, fixed = numpy.array(telling, dtype=int).reshape(-1, 2).T
    ways = numpy.array([float(comb(n, b) * comb(n - b, c)) for b, c in telling])
    shares = [((churn + drop) / 2, (churn - drop) / 2, 1 - churn) for churn in churns]
    return [float((ways * p**broken * max(r, 0) ** fixed * s ** (n - broken - fixed)).sum()) for p, r, s in shares]
