"""From graded cases to judged suites."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from pytest_forgetting.comparison.chance import chance_of
from pytest_forgetting.comparison.drift import drift_of
from pytest_forgetting.comparison.formatting import points
from pytest_forgetting.comparison.gates import Ruling, Threshold, rule, rule_drift, weigh
from pytest_forgetting.comparison.multiplicity import holm
from pytest_forgetting.comparison.outcomes import Amount, CaseResult, count
from pytest_forgetting.comparison.proof import smallest_n
from pytest_forgetting.comparison.scopes import ScopeResult, SuiteResult
from pytest_forgetting.suites.cases import GatePolicy, Suite

FEWEST_TESTED = 20
"""Cases of a category that can lose significantly by itself."""


@dataclass(frozen=True)
class Judge:
    """How scopes are judged; the same for every suite of a run."""

    confidence: float = 0.95
    adapter_inert: bool = False

    def scope(self, name: str, results: Sequence[CaseResult], threshold: Threshold, *, gated: bool) -> ScopeResult:
        """Count and judge one scope; without `gated` it is only reported."""
        counts = count(results)
        if threshold.measures:
            scope = ScopeResult(
                name, counts, Ruling("reported", ""), threshold, None, drift_of(results, self.confidence)
            )
            return self._ruled(scope, gated=gated and threshold.max_increase is not None)
        evidence = weigh(counts, threshold.allowed, self.confidence, by_cluster(results))
        threshold = replace(threshold, chance=chance_of(results))
        return self._ruled(ScopeResult(name, counts, Ruling("reported", ""), threshold, evidence), gated=gated)

    def categories(
        self, suite: Suite, members: Mapping[str, Sequence[CaseResult]], gates: Container[str | None]
    ) -> list[ScopeResult]:
        """Judge the categories of `suite`, whose results are `members`; those outside `gates` are only reported.

        Under the rule `significant` the gated ones are one family: the more are tested, the more surely one of them
        loses by chance, so their p values are adjusted by Holm's method. Categories of fewer than `FEWEST_TESTED`
        cases are not tested.
        """
        scopes = [self.scope(name, its, _category_threshold(suite, name), gated=False) for name, its in members.items()]
        gated = {scope.name: scope for scope in scopes if suite.gate.category_threshold(scope.name) is not None}
        if suite.gate.rule == "significant":
            gated = self._as_family(gated)
        return [
            self._ruled(gated.get(scope.name, scope), gated=scope.name in gated and scope.name in gates)
            for scope in scopes
        ]

    def _as_family(self, scopes: Mapping[str, ScopeResult]) -> dict[str, ScopeResult]:
        """The same with significance adjusted; of what is not tested, nothing is significant."""
        weighed = {name: scope.evidence for name, scope in scopes.items() if scope.evidence is not None}
        tested = [name for name in weighed if scopes[name].counts.n >= FEWEST_TESTED]
        adjusted = dict(zip(tested, holm([weighed[name].p_value for name in tested]), strict=True))
        return dict(scopes) | {
            name: replace(
                scopes[name], evidence=replace(evidence, significant=adjusted.get(name, 1.0) < 1 - self.confidence)
            )
            for name, evidence in weighed.items()
        }

    def _ruled(self, scope: ScopeResult, *, gated: bool) -> ScopeResult:
        if not gated:
            return scope
        if scope.threshold.measures:
            ruling = rule_drift(scope.counts, scope.threshold, scope.drift, self.confidence, self.adapter_inert)
        else:
            ruling = rule(scope.counts, scope.threshold, scope.evidence, adapter_inert=self.adapter_inert)
        return replace(scope, ruling=ruling)

    def suite(
        self, suite: Suite, results: Sequence[CaseResult], gates: Container[str | None] | None = None
    ) -> SuiteResult:
        """Judge a whole suite with its categories; a single ungated category says nothing new and is left out.

        Args:
            suite: what was asked.
            results: of all its cases, or of those selected.
            gates: the categories whose gates count, and None for the suite's own; None altogether: every gate counts.
        """
        counting: Container[str | None] = (None, *suite.categories) if gates is None else gates
        overall = self.scope(suite.name, results, overall_threshold(suite), gated=None in counting)
        members: dict[str, list[CaseResult]] = {}
        for result in results:
            members.setdefault(result.case.category, []).append(result)
        categories = self.categories(suite, members, counting)
        telling = len(categories) > 1 or any(scope.ruling.verdict != "reported" for scope in categories)
        return SuiteResult(suite, tuple(results), overall, tuple(categories) if telling else ())


def overall_threshold(suite: Suite) -> Threshold:
    """What the suite as a whole is held to: no loss beyond its threshold, or for targets a gain."""
    policy: GatePolicy = suite.gate
    if suite.kind == "text":
        return Threshold(policy.max_drop, max_increase=policy.max_increase, measures=True, rule=policy.rule)
    if suite.role == "target":
        return Threshold(policy.max_drop, min_gain=policy.min_gain, rule=policy.rule)
    return Threshold(policy.max_drop, min_retention=policy.min_retention, rule=policy.rule)


def _category_threshold(suite: Suite, category: str) -> Threshold:
    allowed = suite.gate.category_threshold(category)
    if suite.kind == "text":
        return Threshold(suite.gate.max_drop, measures=True, rule=suite.gate.rule)
    return Threshold(suite.gate.max_drop if allowed is None else allowed, rule=suite.gate.rule)


def by_cluster(results: Sequence[CaseResult]) -> list[list[Amount]] | None:
    """Baseline's grades less the model's, cluster by cluster; None where every case stands by itself and is whole."""
    if not any(result.case.cluster or result.case.prompt.samples > 1 for result in results):
        return None  # nearly every suite: nothing is built for each of its cases
    clusters: dict[object, list[Amount]] = {}
    for result in results:
        if result.outcome != "unanswered":
            difference = result.baseline.share - result.model.share
            clusters.setdefault(result.case.cluster or id(result), []).append(difference)
    telling = any(len(cluster) > 1 or isinstance(cluster[0], Fraction) for cluster in clusters.values())
    return list(clusters.values()) if telling else None


def too_small(suite: Suite, confidence: float) -> str | None:
    """Say so where `suite` could not prove its threshold if nothing changed, and how many cases could.

    Fewer can where more is learned than lost: one learned of 20, none lost, proves a drop under 10 points.
    """
    if suite.role == "target" or suite.kind == "text":
        return None
    n, allowed = sum(case.skip is None for case in suite.cases), suite.gate.max_drop
    least = smallest_n(float(allowed), confidence)
    if least is None:
        return f"{suite.nodeid}: no number of cases can prove a drop of {points(allowed)}; allow a little more"
    if n >= least:
        return None
    cases = f"{n} case{'s' * (n != 1)}"
    return f"{suite.nodeid}: {cases} cannot prove a drop under {points(allowed)} if nothing changes, {least} could"
