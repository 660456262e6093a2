"""What changed between two models, over whole suites: the one value that every report is a view of."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol, cast

from pytest_forgetting.comparison.figures import Figures
from pytest_forgetting.comparison.gates import Ruling
from pytest_forgetting.comparison.lookup import has_case, the_case, the_one
from pytest_forgetting.comparison.outcomes import CaseResult, Counts, count
from pytest_forgetting.comparison.participants import Finding, Participant
from pytest_forgetting.comparison.scopes import ScopeResult, SuiteResult
from pytest_forgetting.settings import Inconclusive

Decision = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True)
class Recommendation:
    """Something to try next, as `advice.recommend` finds it."""

    rule: str
    """Which of the rules speaks."""
    advice: str
    """What to try, and where to read on."""
    because: str
    """The run's own numbers that speak for it."""


def decide(gates: Iterable[Ruling], failing_cases: int) -> Decision:
    """The run's decision: anything failed, else anything undecided, else pass; without any gate nothing is decided."""
    verdicts = {ruling.verdict for ruling in gates}
    if failing_cases or "fail" in verdicts:
        return "fail"
    return "pass" if verdicts == {"pass"} else "inconclusive"


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

    @classmethod
    def of(cls, asked: int, seconds: Mapping[Any, float], computed: Mapping[Any, int]) -> Timing:
        """Of `asked` cases, of which each side computed so many in so many seconds; the others were stored."""
        return cls(
            baseline_seconds=round(seconds["baseline"], 3),
            model_seconds=round(seconds["model"], 3),
            baseline_computed=computed["baseline"],
            model_computed=computed["model"],
            baseline_stored=max(0, asked - computed["baseline"]),
            model_stored=max(0, asked - computed["model"]),
        )


class View(Protocol):
    """How a comparison shows itself; reports stand behind this room, so whoever makes one brings it along."""

    def line(self, comparison: Comparison) -> str:
        """In one line."""

    def text(self, comparison: Comparison) -> str:
        """As lines for a terminal."""

    def html(self, comparison: Comparison) -> str:
        """As a table for a notebook."""

    def write(self, comparison: Comparison, path: Path) -> None:
        """As a report, of the kind that the suffix of `path` says."""


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
    def confidence(self) -> float:
        """Of its intervals."""
        return float(str(self.settings.get("confidence", 0.95)))

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
        return blocks(scope.ruling, self.inconclusive, general_decided=self._general_decided)

    @cached_property
    def _general_decided(self) -> bool:
        """Whether any general gate passed or failed; each of what may be hundreds of gates asks."""
        general = [gate for suite in self.suites if suite.suite.role == "general" for gate in suite.gates]
        return any(gate.ruling.verdict != "inconclusive" for gate in general)

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
        return the_one("suite", name, named, [suite.suite.nodeid for suite in named.get(str(name), ())])

    def category(self, name: str) -> ScopeResult:
        """The category `name` of the suite that has it.

        Raises:
            NotFound: none has it, or several have; then ``result.suite(…).category(…)`` tells them apart.
        """
        having = [suite for suite in self.suites if name in list(suite._scopes)]
        named = {each: [scope] for suite in self.suites for each, scope in suite._scopes.items()}
        named |= {name: [suite._scopes[name] for suite in having]} if having else {}
        return the_one("category", name, named, [f"suite({suite.suite.nodeid!r})" for suite in having])

    def __getitem__(self, name: str) -> CaseResult:
        """The case whose id or node id is `name`.

        Raises:
            NotFound: there is none, or several suites have one; then the message names their node ids.
        """
        return the_case(self.suites, name)

    def __contains__(self, wanted: object) -> bool:
        """Whether `wanted` is one of its cases, or the id or node id of one."""
        return has_case(self.suites, wanted)

    def __iter__(self) -> Iterator[CaseResult]:
        """All cases of all suites."""
        return iter(self.results)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the report that ``--forgetting-report PATH`` writes: .html, .md, .json or .jsonl, by suffix.

        Raises:
            WrongUsage: there is no report of that suffix.
            OSError: the file cannot be written; an older one is left as it was.
        """
        assert self.view is not None, "whoever compares brings a view along"
        self.view.write(self, Path(path))

    def __repr__(self) -> str:
        """The decision, who was compared, and how much was forgotten."""
        return f"<Comparison {self.decision}>" if self.view is None else self.view.line(self)

    def __str__(self) -> str:
        """The table, what was forgotten, and the counts."""
        return repr(self) if self.view is None else self.view.text(self)

    def _repr_html_(self) -> str | None:
        """The table, where a notebook shows it."""
        return None if self.view is None else self.view.html(self)
