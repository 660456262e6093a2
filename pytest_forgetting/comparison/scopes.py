"""What is counted and judged: a suite as a whole, and its categories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pytest_forgetting.comparison.drift import Drift
from pytest_forgetting.comparison.figures import Figures
from pytest_forgetting.comparison.gates import Evidence, Ruling, Threshold
from pytest_forgetting.comparison.lookup import has_case, the_case, the_one
from pytest_forgetting.comparison.outcomes import CaseResult, Counts
from pytest_forgetting.suites.cases import Suite


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

    def __contains__(self, wanted: object) -> bool:
        """Whether `wanted` is one of its cases, or the id or node id of one."""
        return has_case([self], wanted)

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
