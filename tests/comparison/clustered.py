"""Differences in clusters, to try tests and intervals on."""

import numpy
from hypothesis import strategies as st

CLUSTERS = st.lists(st.lists(st.sampled_from([-1, 0, 0, 1]), min_size=1, max_size=5), min_size=1, max_size=8)
SINGLE_CASES = st.lists(st.sampled_from([-1, 0, 0, 0, 1]), min_size=1, max_size=120)


def drawn(clusters: int, size: int, drop: float, churn: float, shared: float, runs: int) -> list[list[list[int]]]:
    """Runs of a suite whose clusters flip as one with chance `shared`, and case by case else."""
    generator = numpy.random.default_rng(20)
    together = generator.random((runs, clusters, 1)) < shared
    draws = generator.random((runs, clusters, size))
    draws = numpy.where(together, draws[:, :, :1], draws)
    lost, gained = (churn + drop) / 2, (churn - drop) / 2
    differences: list[list[list[int]]] = ((draws < lost) * 1 - ((draws >= lost) & (draws < lost + gained))).tolist()
    return differences
