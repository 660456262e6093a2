"""What clusters of cases, and averages over samples, weigh."""

from fractions import Fraction
from math import sqrt
from statistics import NormalDist, mean, pvariance

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_forgetting.comparison.clusters import (
    cluster_interval,
    clustered_standard_error,
    clustered_z,
    design_effect,
    effective_counts,
)
from pytest_forgetting.comparison.proof import proves
from pytest_forgetting.comparison.statistics import tango_interval, tango_z
from tests.comparison.clustered import CLUSTERS, SINGLE_CASES, drawn

Z95 = NormalDist().inv_cdf(0.95)


def alone(cases: list[int]) -> list[list[int]]:
    """Every case its own cluster."""
    return [[case] for case in cases]


@settings(deadline=None, max_examples=50)
@given(SINGLE_CASES, st.floats(-0.9, 0.9))
def test_cases_by_themselves_are_counted_as_they_are(cases: list[int], margin: float) -> None:
    """Where every case is its own cluster, counts, statistic and interval are those without clusters."""
    counts = cases.count(1), cases.count(-1), len(cases)
    assert design_effect(alone(cases)) == 1
    assert effective_counts(alone(cases)) == counts
    assert clustered_z(alone(cases), margin) == tango_z(*counts, margin)
    assert cluster_interval(alone(cases)) == pytest.approx(tango_interval(*counts), abs=1e-6)


@pytest.mark.parametrize(("clusters", "size"), [(40, 5), (1, 30), (25, 1)])
def test_where_nothing_changed_clusters_are_counted(clusters: int, size: int) -> None:
    """Without a discordant case nobody knows what cases share: forty clusters of five prove what forty cases do."""
    same = [[0] * size] * clusters
    assert clustered_standard_error(same) == 0
    assert effective_counts(same) == (0, 0, clusters)
    assert clustered_z(same, 0.1) == pytest.approx(tango_z(0, 0, clusters, 0.1))
    assert cluster_interval(same) == pytest.approx(tango_interval(0, 0, clusters))


def test_clusters_lost_whole_weigh_as_one_case_each() -> None:
    """Three of thirty clusters of four lost, and nothing else changed, are three of thirty cases."""
    whole = [[1] * 4] * 3 + [[0] * 4] * 27
    assert design_effect(whole) == pytest.approx(4)
    assert effective_counts(whole) == (3, 0, 30)
    assert cluster_interval(whole) == pytest.approx(tango_interval(3, 0, 30))


def test_gains_weigh_as_losses_do() -> None:
    """Three clusters gained whole are three cases; what rounding adds fits into all cases still."""
    assert effective_counts([[-1] * 4] * 3 + [[0] * 4] * 27) == (0, 3, 30)
    assert effective_counts([[Fraction(-1, 10)]] * 50) == tuple(
        effective_counts([[Fraction(1, 10)]] * 50)[n] for n in (1, 0, 2)
    )
    # An effect of 1.416: 5 cases are 3.5, 1 lost is 0.7, 4 gained are 2.8.
    assert effective_counts([[1], [-1, -1], [-1, -1]]) == (1, 2, 3)


def test_losses_spread_over_clusters_weigh_more() -> None:
    """The same twelve losses in twelve clusters tell more than in three."""
    spread, bundled = [[1, 0, 0, 0]] * 12 + [[0] * 4] * 18, [[1] * 4] * 3 + [[0] * 4] * 27
    assert design_effect(spread) < 2 < design_effect(bundled)
    low, high = cluster_interval(spread)
    assert high - low < 0.8 * (cluster_interval(bundled)[1] - cluster_interval(bundled)[0])


def test_the_standard_error_of_averages_is_the_paired_one() -> None:
    """Averages over samples, each its own cluster: the differences' spread over the root of n."""
    cases = [0.4, -0.2, 0.0, 0.2, 0.6, 0.0]
    paired = sqrt(pvariance(cases) / len(cases))
    assert clustered_standard_error([[case] for case in cases]) == pytest.approx(paired)


@settings(deadline=None, max_examples=50)
@given(CLUSTERS)
def test_the_standard_error_is_its_definition(clusters: list[list[int]]) -> None:
    """√(Σ_clusters (Σ residuals)²) / n, as Miller writes it: residuals of the same cluster multiplied pair by pair."""
    cases = [case for cluster in clusters for case in cluster]
    residuals = [[case - mean(map(float, cases)) for case in cluster] for cluster in clusters]
    pairs = sum(one * other for cluster in residuals for one in cluster for other in cluster)
    assert clustered_standard_error(clusters) == pytest.approx(sqrt(abs(pairs)) / len(cases), abs=1e-6)


@settings(deadline=None, max_examples=50)
@given(CLUSTERS)
def test_effective_counts_are_counts(clusters: list[list[int]]) -> None:
    """They fit together, and there are at least one and at most as many as there are cases per smallest effect."""
    broken, fixed, n = effective_counts(clusters)
    assert min(broken, fixed) >= 0
    assert broken + fixed <= n
    assert 1 <= n <= sum(map(len, clusters)) / design_effect(clusters)


@settings(deadline=None, max_examples=50)
@given(CLUSTERS, st.sampled_from([0.8, 0.95]))
def test_the_interval_ends_where_the_statistic_says(clusters: list[list[int]], confidence: float) -> None:
    """The measured drop lies between the ends, at which the statistic is ±z."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    cases = [case for cluster in clusters for case in cluster]
    low, high = cluster_interval(clusters, confidence)
    assert -1 <= low <= mean(map(float, cases)) <= high <= 1
    assert low == -1 or clustered_z(clusters, low) == pytest.approx(z, abs=1e-4)
    assert high == 1 or clustered_z(clusters, high) == pytest.approx(-z, abs=1e-4)


def test_samples_tell_more_than_answers_given_once() -> None:
    """Fifty cases that each lost one of ten samples weigh more than fifty of which five were lost."""
    sampled, once = [[Fraction(1, 10)]] * 50, [[1]] * 5 + [[0]] * 45
    assert design_effect(sampled) < 1 == design_effect(once)
    assert clustered_z(sampled, 0.3) < clustered_z(once, 0.3)
    assert effective_counts(sampled)[2] > 50


@pytest.mark.parametrize("shared", [0, 0.5, 1.0])
def test_a_drop_as_large_as_the_margin_is_seldom_ruled_out(shared: float) -> None:
    """Of clustered suites that lost 0.10, 6 % or fewer are proven to have lost less, however many flips are shared."""
    runs = drawn(clusters=40, size=5, drop=0.1, churn=0.2, shared=shared, runs=500)
    assert sum(proves(*effective_counts(run), 0.1) for run in runs) / len(runs) <= 0.06


def test_bare_counts_of_clusters_prove_too_much() -> None:
    """Counted as independent cases, a fifth of such suites pass where clusters flip as one."""
    runs = drawn(clusters=40, size=5, drop=0.1, churn=0.2, shared=1, runs=200)
    flat = [[case for cluster in run for case in cluster] for run in runs]
    assert sum(tango_z(cases.count(1), cases.count(-1), 200, 0.1) <= -Z95 for cases in flat) / len(runs) > 0.15


def test_an_unchanged_model_passes_with_clusters_too() -> None:
    """Forty clusters of five whose cases flip by themselves prove ten points in most runs."""
    runs = drawn(clusters=40, size=5, drop=0, churn=0.1, shared=0, runs=200)
    assert sum(proves(*effective_counts(run), 0.1) for run in runs) / len(runs) > 0.9


def test_impossible_questions_are_refused() -> None:
    """No cases, differences beyond ±1, margins and confidences that cannot be are told."""
    for ask in (clustered_standard_error, design_effect, effective_counts, cluster_interval):
        with pytest.raises(
            ValueError,
            match=r"^differences: found none, or a cluster without any; wanted clusters of one case or more$",
        ):
            ask([])
        with pytest.raises(ValueError, match="difference: found -2; wanted a number between -1 and 1"):
            ask([[0, -2]])
    with pytest.raises(ValueError, match=r"margin: found 1.5; wanted a drop"):
        clustered_z([[0]], 1.5)
    with pytest.raises(ValueError, match=r"confidence: found 1; wanted a number between 0 and 1"):
        cluster_interval([[0]], 1)
