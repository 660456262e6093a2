"""What changed between two models, over whole suites: the one value that every report is a view of."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pytest_forgetting.comparison.gates import Evidence, Ruling, Threshold, rule, weigh
from pytest_forgetting.comparison.outcomes import CaseResult, Counts, count
from pytest_forgetting.suites.cases import GatePolicy, Suite

Decision = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True)
class Participant:
    """One of the two sides, as reports name it."""

    ref: str
    fingerprint: str
    dtype: str | None = None
    device: str | None = None
    parameters: int | None = None


@dataclass(frozen=True)
class Finding:
    """Something that a reader of the comparison should know before trusting it."""

    finding: str
    severity: Literal["info", "warning", "fatal"]
    detail: str


@dataclass(frozen=True)
class ScopeResult:
    """A suite as a whole, or one of its categories."""

    name: str
    counts: Counts
    ruling: Ruling
    threshold: Threshold
    """What gates it, or, where it is only reported, what its drop is held against."""
    evidence: Evidence | None


@dataclass(frozen=True)
class SuiteResult:
    """One suite, counted whole and by category."""

    suite: Suite
    results: tuple[CaseResult, ...]
    overall: ScopeResult
    categories: tuple[ScopeResult, ...]
    """Empty where there is only one."""

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

    def scope(self, name: str, results: Iterable[CaseResult], threshold: Threshold, *, gated: bool) -> ScopeResult:
        """Count and judge one scope; without `gated` it is only reported."""
        counts = count(results)
        ruling = rule(counts, threshold, adapter_inert=self.adapter_inert) if gated else Ruling("reported", "")
        allowed = threshold.max_drop if threshold.min_gain is None else -threshold.min_gain
        return ScopeResult(name, counts, ruling, threshold, weigh(counts, allowed, self.confidence))

    def category(self, suite: Suite, category: str, members: Iterable[CaseResult], *, gated: bool) -> ScopeResult:
        """Judge one category of `suite`, whose results are `members`."""
        allowed = suite.gate.category_threshold(category)
        threshold = Threshold(suite.gate.max_drop if allowed is None else allowed)
        return self.scope(category, members, threshold, gated=gated and allowed is not None)

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
        categories = [self.category(suite, name, its, gated=name in counting) for name, its in members.items()]
        telling = len(categories) > 1 or any(scope.ruling.verdict != "reported" for scope in categories)
        return SuiteResult(suite, tuple(results), overall, tuple(categories) if telling else ())


def overall_threshold(suite: Suite) -> Threshold:
    """What the suite as a whole is held to: no loss beyond its threshold, or for targets a gain."""
    policy: GatePolicy = suite.gate
    if suite.role == "target":
        return Threshold(policy.max_drop, min_gain=policy.min_gain)
    return Threshold(policy.max_drop, min_retention=policy.min_retention)


def decide(gates: Iterable[Ruling], failing_cases: int) -> Decision:
    """The run's decision: anything failed, else anything undecided, else pass."""
    verdicts = {ruling.verdict for ruling in gates}
    if failing_cases or "fail" in verdicts:
        return "fail"
    return "inconclusive" if "inconclusive" in verdicts else "pass"


def blocks(ruling: Ruling, inconclusive: Literal["warn", "fail", "pass"], *, general_decided: bool) -> bool:
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


@dataclass(frozen=True)
class Comparison:
    """Everything that a run found out."""

    decision: Decision
    baseline: Participant
    model: Participant
    suites: tuple[SuiteResult, ...]
    settings: dict[str, object] = field(default_factory=dict)
    audit: tuple[Finding, ...] = ()
    timing: Timing = field(default_factory=Timing)

    @property
    def results(self) -> list[CaseResult]:
        """All cases of all suites."""
        return [result for suite in self.suites for result in suite.results]
