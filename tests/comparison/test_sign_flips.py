"""The sign-flip test of clusters."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_forgetting.comparison.sign_flips import _coarsened, cluster_sign_flip_p
from pytest_forgetting.comparison.statistics import mcnemar_mid_p
from tests.comparison.clustered import CLUSTERS, SINGLE_CASES, drawn


@settings(deadline=None, max_examples=50)
@given(SINGLE_CASES)
def test_cases_by_themselves_are_mcnemars(cases: list[int]) -> None:
    """Where every case is its own cluster, the test is the McNemar mid-p test."""
    p = cluster_sign_flip_p([[case] for case in cases])
    assert p == pytest.approx(mcnemar_mid_p(cases.count(1), cases.count(-1)), abs=1e-12)


@settings(deadline=None, max_examples=50)
@given(CLUSTERS)
def test_p_is_its_definition(clusters: list[list[int]]) -> None:
    """All signs tried one by one: P(S > s) + ½ P(S = s), and 1 where no cluster's sum differs from 0."""
    sums = [sum(cluster) for cluster in clusters]
    flipped = [sum(map(int.__mul__, signs, sums)) for signs in product((1, -1), repeat=len(sums))]
    mid_p = sum((total > sum(sums)) + (total == sum(sums)) / 2 for total in flipped) / len(flipped)
    assert cluster_sign_flip_p(clusters) == pytest.approx(mid_p if any(sums) else 1)


@settings(deadline=None, max_examples=50)
@given(CLUSTERS, st.integers(2, 7))
def test_averages_over_samples_are_counted_as_exactly(clusters: list[list[int]], samples: int) -> None:
    """Differences that are all a K-th as large have the same p, as floats too."""
    p = cluster_sign_flip_p(clusters)
    assert cluster_sign_flip_p([[Fraction(case, samples) for case in cluster] for cluster in clusters]) == p
    assert cluster_sign_flip_p([[case / samples for case in cluster] for cluster in clusters]) == p


def test_nothing_lost_is_no_evidence() -> None:
    """Without a difference anywhere, or where each cluster's cancel out, p is 1 and not NaN."""
    assert cluster_sign_flip_p([[0, 0], [0]]) == 1
    assert cluster_sign_flip_p([[1, -1], [0]]) == 1


def test_four_clusters_lost_whole_are_the_fewest_that_tell() -> None:
    """However many cases they hold, three lost clusters have p = 1/16 and four 1/32."""
    assert cluster_sign_flip_p([[1] * 50] * 3) == 1 / 16
    assert cluster_sign_flip_p([[1] * 50] * 4) == 1 / 32


def test_many_clusters_need_no_random_draws() -> None:
    """Thousands of clusters are counted out too, and twice to the same number."""
    clusters = [[1, 0, 1]] * 1020 + [[0, -1, -1]] * 980 + [[0, 0, 0]] * 1000
    assert cluster_sign_flip_p(clusters) == pytest.approx(mcnemar_mid_p(1020, 980))


def test_differences_without_a_common_unit() -> None:
    """Averages over samples of many numbers are rounded so finely that p hardly moves."""
    odd = [[Fraction(1, prime)] for prime in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29)]
    signs = product((1, -1), repeat=len(odd))
    total = sum(cluster[0] for cluster in odd[2:]) - odd[0][0] - odd[1][0]
    flipped = [sum(sign * cluster[0] for sign, cluster in zip(each, odd, strict=True)) for each in signs]
    p = sum((each > total) + (each == total) / 2 for each in flipped) / len(flipped)
    assert cluster_sign_flip_p([[-odd[0][0]], [-odd[1][0]], *odd[2:]]) == pytest.approx(p, abs=1e-3)


@pytest.mark.parametrize(("shared", "expected"), [(0.2, 0.108), (0.5, 0.171), (1.0, 0.232)])
def test_shared_flips_alarm_mcnemar_and_not_this_test(shared: float, expected: float) -> None:
    """Forty clusters of five that flip together: counted as 200 cases they raise two to five times the alarms."""
    runs = drawn(clusters=40, size=5, drop=0, churn=0.1, shared=shared, runs=400)
    flat = [[case for cluster in run for case in cluster] for run in runs]
    naive = sum(mcnemar_mid_p(cases.count(1), cases.count(-1)) < 0.05 for cases in flat) / len(runs)
    assert naive == pytest.approx(expected, abs=0.04)
    assert sum(cluster_sign_flip_p(run) < 0.05 for run in runs) / len(runs) <= 0.06


@pytest.mark.parametrize(
    ("differences", "message"),
    [
        ([], "differences: found none, or a cluster without any; wanted clusters of one case or more"),
        ([[1], []], "differences: found none, or a cluster without any"),
        ([[0.5], [1.5]], "difference: found 1.5; wanted a number between -1 and 1"),
        ([[float("nan")]], "difference: found nan; wanted"),
    ],
)
def test_impossible_differences_are_refused(differences: list[list[float]], message: str) -> None:
    """No cluster, an empty one, and differences beyond ±1 are told."""
    with pytest.raises(ValueError, match=message):
        cluster_sign_flip_p(differences)


def test_sums_are_counted_in_the_largest_unit_they_share() -> None:
    """Those of 0 are left out; without any, there is nothing to count."""
    assert _coarsened([6, 0, -4]) == [3, -2]
    assert _coarsened([0, 0]) == []


def test_sums_of_a_tiny_unit_are_rounded_to_a_bounded_number_of_steps() -> None:
    """Their proportions stay: 2^17 steps in all, or 64 for each of many clusters."""
    few = _coarsened([3 * 2**21, -(2**21), 2])
    assert few == [3 * 2**15, -(2**15)]
    many = _coarsened([2**20, 2**20 + 1] * 2048)
    assert sum(many) == 64 * 4096
