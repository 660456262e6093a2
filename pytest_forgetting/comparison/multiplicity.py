"""Many tests at once: p values adjusted so that any false alarm among them is as rare as one alone would be."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p values, in the order given.

    The smallest of k is multiplied by k, the next by k − 1, and so on; none is less than one before it, none more than
    1. However the tests depend on each other, one adjusted value below 0.05 or more is a false alarm in at most 5 % of
    runs. Holm (1979), Scandinavian Journal of Statistics 6:65.

    Raises:
        ValueError: a p value outside [0, 1].
    """
    for p in p_values:
        if not 0 <= p <= 1:
            raise ValueError(f"p value: found {p}; wanted a number between 0 and 1")
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    factors = range(len(order), 0, -1)
    stepped = (min(1.0, factor * p_values[index]) for factor, index in zip(factors, order, strict=True))
    adjusted = dict(zip(order, accumulate(stepped, max), strict=True))
    return [adjusted[index] for index in range(len(order))]
