"""What changed between two models, over whole suites: the one value that every report is a view of."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal, Protocol, cast

from pytest_forgetting.comparison.chance import chance_of
from pytest_forgetting.comparison.drift import Drift, drift_of
from pytest_forgetting.comparison.figures import Figures
from pytest_forgetting.comparison.finding_cases import the_case, the_one
from pytest_forgetting.comparison.gates import Evidence, Ruling, Threshold, points, rule, rule_drift, weigh
from pytest_forgetting.comparison.multiplicity import holm
from pytest_forgetting.comparison.outcomes import Amount, CaseResult, Counts, count
from pytest_forgetting.comparison.proof import smallest_n
from pytest_forgetting.settings import Inconclusive
from pytest_forgetting.suites.cases import GatePolicy, Suite

Decision = Literal["pass", "fail", "inconclusive"]

FEWEST_TESTED = 20
"""Cases of a category that can lose significantly by itself."""


NOT_STATED = "revision not stated"
"""In the place of a fingerprint: which weights a server answers with is known to nobody."""


@dataclass(frozen=True)
class Participant:
    """One of the two sides, as reports name it."""

    ref: str
    fingerprint: str
    dtype: str | None = None
    device: str | None = None
    parameters: int | None = None

    @property
    def is_identified(self) -> bool:
        """Whether an equal fingerprint means the same model."""
        return self.fingerprint != NOT_STATED


@dataclass(frozen=True)
class Finding:
    """Something that a reader of the comparison should know before trusting it."""

    finding: str
    severity: Literal["info", "warning", "fatal"]
    detail: str


@dataclass(frozen=True)
class Recommendation:
    """Something to try next, as `advice.recommend` finds it."""

    rule: str
    """Which of the rules speaks."""
    advice: str
    """What to try, and where to read on."""
    because: str
    """The run's own numbers that speak for it."""


@dataclass(frozen=True)
class ScopeResult(Figures):
    """A suite as a whole, or one of its categories."""

    name: str
    counts: Counts
    ruling: Ruling
    threshold: Threshold
    """What gates it, or, where it is only reported, what its drop is held against."""
    evidence: Evidence | None
    drift: Drift | None = None
    """Of texts, which are measured and have no outcomes to be counted."""


@dataclass(frozen=True)
class SuiteResult(Figures):
    """One suite, counted whole and by category; its figures are those of the whole."""

    suite: Suite
    results: tuple[CaseResult, ...]
    overall: ScopeResult
    categories: tuple[ScopeResult, ...]
    """Empty where there is only one."""

    @property
    def counts(self) -> Counts:
        """Of all its cases."""
        return self.overall.counts

    def category(self, name: str) -> ScopeResult:
        """The category `name`.

        Raises:
            NotFound: there is none.
        """
        return the_one("category", name, {scope: [found] for scope, found in self._scopes.items()})

    def __getitem__(self, name: str) -> CaseResult:
        """The case whose id or node id is `name`.

        Raises:
            NotFound: there is none.
        """
        return the_case([self], name)

    def __iter__(self) -> Iterator[CaseResult]:
        """All its cases."""
        return iter(self.results)

    @property
    def _scopes(self) -> dict[str, ScopeResult]:
        """Its categories by name; where there is only one, it is the whole."""
        if self.categories:
            return {scope.name: scope for scope in self.categories}
        return {result.case.category: replace(self.overall, name=result.case.category) for result in self.results[:1]}

    @property
    def gates(self) -> tuple[ScopeResult, ...]:
        """The scopes that decide."""
        return tuple(scope for scope in (self.overall, *self.categories) if scope.ruling.verdict != "reported")

    @property
    def failing_cases(self) -> tuple[CaseResult, ...]:
        """Cases that fail by themselves."""
        return tuple(result for result in self.results if result.fails(self.suite.fail_on))

    @property
    def silent_losses(self) -> tuple[ScopeResult, ...]:
        """Ungated categories that lost more than the suite as a whole may."""
        allowed = self.suite.gate.max_drop
        general = self.suite.role == "general"
        return tuple(
            scope
            for scope in self.categories
            if general and scope.ruling.verdict == "reported" and scope.counts.drop > allowed
        )


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


def decide(gates: Iterable[Ruling], failing_cases: int) -> Decision:
    """The run's decision: anything failed, else anything undecided, else pass."""
    verdicts = {ruling.verdict for ruling in gates}
    if failing_cases or "fail" in verdicts:
        return "fail"
    return "inconclusive" if "inconclusive" in verdicts else "pass"


def blocks(ruling: Ruling, inconclusive: Inconclusive, *, general_decided: bool) -> bool:
    """Whether a gate with this ruling fails the build.

    Args:
        ruling: the gate's own.
        inconclusive: what the user asked INCONCLUSIVE gates to do.
        general_decided: whether any general gate of the run passed or failed; a run that measured nothing is red.
    """
    if ruling.verdict != "inconclusive":
        return ruling.verdict == "fail"
    if inconclusive == "warn":
        return not (ruling.measured and general_decided)
    return inconclusive == "fail"


@dataclass(frozen=True)
class Timing:
    """Where the seconds went, and how many cases were answered in this run and how many came from the store."""

    baseline_seconds: float = 0.0
    model_seconds: float = 0.0
    baseline_computed: int = 0
    model_computed: int = 0
    baseline_stored: int = 0
    model_stored: int = 0


class View(Protocol):
    """How a comparison shows itself; reports stand behind this room, so whoever makes one brings it along."""

    def line(self, comparison: Comparison) -> str:
        """In one line."""

    def text(self, comparison: Comparison) -> str:
        """As lines for a terminal."""

    def html(self, comparison: Comparison) -> str:
        """As a table for a notebook."""


@dataclass(frozen=True, repr=False)
class Comparison(Figures):
    """Everything that a run found out.

    Its own figures (`accuracy_drop` and so on) are those of the general suites together: what was to be learned does
    not make up for what was forgotten.
    """

    decision: Decision
    baseline: Participant
    model: Participant
    suites: tuple[SuiteResult, ...]
    settings: dict[str, object] = field(default_factory=dict)
    audit: tuple[Finding, ...] = ()
    timing: Timing = field(default_factory=Timing)
    recommendations: tuple[Recommendation, ...] = ()
    """What to try next, the cheapest first."""
    view: View | None = field(default=None, compare=False)
    """How it shows itself."""

    @property
    def results(self) -> list[CaseResult]:
        """All cases of all suites."""
        return [result for suite in self.suites for result in suite.results]

    @property
    def inconclusive(self) -> Inconclusive:
        """What the user asked INCONCLUSIVE gates to do."""
        return cast("Inconclusive", self.settings.get("inconclusive", "warn"))

    @property
    def fails_build(self) -> bool:
        """Whether the run is red: a case fails by itself, or a gate fails the build (`blocks`)."""
        return any(suite.failing_cases or any(map(self.blocks, suite.gates)) for suite in self.suites)

    def blocks(self, scope: ScopeResult) -> bool:
        """Whether the gate `scope` fails the build."""
        general = [gate for suite in self.suites if suite.suite.role == "general" for gate in suite.gates]
        decided = any(gate.ruling.verdict != "inconclusive" for gate in general)
        return blocks(scope.ruling, self.inconclusive, general_decided=decided)

    @property
    def counts(self) -> Counts:
        """Of all cases of the general suites."""
        return count(result for suite in self.suites if suite.suite.role == "general" for result in suite.results)

    def suite(self, name: str) -> SuiteResult:
        """The suite whose name or path is `name`.

        Raises:
            NotFound: there is none, or there are several.
        """
        named: dict[str, list[SuiteResult]] = {}
        for suite in self.suites:
            for key in dict.fromkeys((suite.suite.name, suite.suite.nodeid)):
                named.setdefault(key, []).append(suite)
        return the_one("suite", name, named, [suite.suite.nodeid for suite in named.get(name, ())])

    def category(self, name: str) -> ScopeResult:
        """The category `name` of the suite that has it.

        Raises:
            NotFound: none has it, or several have; then ``result.suite(…).category(…)`` tells them apart.
        """
        having = [suite for suite in self.suites if name in suite._scopes]
        named = {each: [scope] for suite in self.suites for each, scope in suite._scopes.items()}
        named |= {name: [suite._scopes[name] for suite in having]} if having else {}
        return the_one("category", name, named, [f"suite({suite.suite.nodeid!r})" for suite in having])

    def __getitem__(self, name: str) -> CaseResult:
        """The case whose id or node id is `name`.

        Raises:
            NotFound: there is none, or several suites have one; then the message names their node ids.
        """
        return the_case(self.suites, name)

    def __iter__(self) -> Iterator[CaseResult]:
        """All cases of all suites."""
        return iter(self.results)

    def __repr__(self) -> str:
        """The decision, who was compared, and how much was forgotten."""
        return f"<Comparison {self.decision}>" if self.view is None else self.view.line(self)

    def __str__(self) -> str:
        """The table, what was forgotten, and the counts."""
        return repr(self) if self.view is None else self.view.text(self)

    def _repr_html_(self) -> str | None:
        """The table, where a notebook shows it."""
        return None if self.view is None else self.view.html(self)
