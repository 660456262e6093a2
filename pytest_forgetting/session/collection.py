"""Suites as pytest sees them: file, category, case, gate. Items only deliver what the evaluation knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_forgetting.errors import ForgettingError, escaped, uncommanding
from pytest_forgetting.session.properties import case_properties, gate_properties, named
from pytest_forgetting.suites.cases import Case, Suite

if TYPE_CHECKING:
    from pytest_forgetting.comparison.outcomes import CaseResult
    from pytest_forgetting.comparison.scopes import ScopeResult
    from pytest_forgetting.session.run import ForgettingRun

GATE = "gate"

SHOWN_CHARACTERS = 2000
"""Of an answer, where a case failed; reports in JSON have all of it."""


class SuiteFile(pytest.File):
    """One suite file."""

    suite: Suite

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Its categories, and the gate over all of it."""
        run = run_of(self.config)
        try:
            self.suite = run.loader.suite(self.path, self.nodeid)
        except ForgettingError as error:
            raise self.CollectError(str(error)) from None
        self._register_tags()
        for category in self.suite.categories:
            yield Category.from_parent(self, name=category)
        if run.gated and self.suite.gated:
            yield GateItem.from_parent(self, name=GATE, suite=self.suite, category=None)

    def _register_tags(self) -> None:
        for tag in dict.fromkeys(tag for case in self.suite.cases for tag in case.tags):
            self.config.addinivalue_line("markers", f"{tag}: a tag of forgetting suites")


class Category(pytest.Collector):
    """The cases of one category."""

    def collect(self) -> Iterator[pytest.Item]:
        """Its cases, and its gate where it has one."""
        parent = self.parent
        assert isinstance(parent, SuiteFile)
        suite = parent.suite
        self.add_marker(pytest.mark.forgetting(suite=suite.name, category=self.name))
        for case in suite.scope(self.name):
            yield CaseItem.from_parent(self, name=case.id, suite=suite, case=case)
        if run_of(self.config).gated and suite.gate.category_threshold(self.name) is not None:
            yield GateItem.from_parent(self, name=GATE, suite=suite, category=self.name)


class CaseFailed(Exception):
    """A case that fails by itself."""


class GateFailed(Exception):
    """A gate that fails the build."""


class ForgettingItem(pytest.Item):
    """What cases and gates have in common."""

    suite: Suite

    @property
    def asks(self) -> Sequence[Case]:
        """The cases whose answers this item speaks of."""
        raise NotImplementedError

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Our own failures are told in words; anything else is a defect and keeps its traceback."""
        if isinstance(excinfo.value, CaseFailed | GateFailed | ForgettingError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def tell(self, properties: Mapping[str, str]) -> None:
        """Attach plain values that travel with the reports, to the controller, JUnit and dashboards."""
        self.user_properties.extend(named(name, value) for name, value in properties.items())


class CaseItem(ForgettingItem):
    """One case of a suite."""

    def __init__(self, *, suite: Suite, case: Case, **kwargs: Any) -> None:
        """Hold the case; its tags and severity become marks."""
        super().__init__(**kwargs)
        self.suite = suite
        self.case = case
        if case.severity is not None:
            self.add_marker(pytest.mark.forgetting(severity=case.severity))
        for tag in case.tags:
            self.add_marker(tag)
        if case.skip is not None:
            self.add_marker(pytest.mark.skip(reason=escaped(case.skip)))

    @property
    def asks(self) -> Sequence[Case]:
        """Its own."""
        return (self.case,)

    def runtest(self) -> None:
        """Report the outcome."""
        run = run_of(self.config)
        result = run.result(self)
        self.describe(result)
        if result.outcome == "unanswered":
            pytest.skip(reason_unanswered(result))
        if not run.gated:
            return
        if result.fails(self.suite.fail_on):
            raise CaseFailed(failure_text(result))
        if result.outcome == "forgotten":
            pytest.xfail(TOLERATED)

    def describe(self, result: CaseResult) -> None:
        """Attach the outcome."""
        self.tell(case_properties(result, gated=run_of(self.config).gated))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The line that the case stands on."""
        return self.path, self.case.line - 1 if self.case.line else None, f"{self.case.category}::{self.name}"


class GateItem(ForgettingItem):
    """The gate over a suite, or over one of its categories."""

    def __init__(self, *, suite: Suite, category: str | None, **kwargs: Any) -> None:
        """Hold the scope."""
        super().__init__(**kwargs)
        self.suite = suite
        self.category = category
        self.add_marker(pytest.mark.forgetting(suite=suite.name))

    @property
    def asks(self) -> Sequence[Case]:
        """Its whole scope."""
        return self.suite.gate_scope(self.category)

    def runtest(self) -> None:
        """Report the verdict over the whole scope, whichever cases were selected."""
        run = run_of(self.config)
        scope = run.verdict(self)
        self.tell(gate_properties(scope))
        if run.blocks(scope):
            raise GateFailed(gate_text(self.suite, self.category, scope))
        if scope.ruling.verdict == "inconclusive":
            pytest.skip(f"INCONCLUSIVE: {scope.ruling.because}")

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The line of the `gate:` key."""
        return self.path, self.suite.gate_line - 1, f"{self.category}::{GATE}" if self.category else GATE


TOLERATED = "forgotten, counted by the gate"


def reason_unanswered(result: CaseResult) -> str:
    """Which side gave no answer, and why."""
    silent = [
        (name, side) for name, side in (("baseline", result.baseline), ("model", result.model)) if not side.answered
    ]
    return "; ".join(f"{name} unanswered: {escaped(side.why)}" for name, side in silent)


def failure_text(result: CaseResult) -> str:
    """A case that failed by itself, for the FAILURES section."""
    from pytest_forgetting.reporting.clipping import SENTENCE_CHARACTERS, clipped

    severity = f"{result.case.severity} " if result.case.severity else ""
    kind = "must pass" if result.case.require_pass else f"{severity}case forgotten"
    return "\n".join(
        [
            f"{kind}: {clipped(result.case.title or result.prompt, SENTENCE_CHARACTERS)}",
            f"  {clipped(result.model.why, SENTENCE_CHARACTERS)}",
            f"  baseline: {_quoted(result.baseline.answer)}",
            f"  model:    {_quoted(result.model.answer)}",
        ]
    )


def _quoted(answer: str) -> str:
    answer = answer.strip()
    quoted = repr(answer[:SHOWN_CHARACTERS])
    shown = quoted[: 2 * SHOWN_CHARACTERS]  # each of what is written out has up to ten characters
    return uncommanding(shown if shown == quoted and len(answer) <= SHOWN_CHARACTERS else f"{shown}…")


def gate_text(suite: Suite, category: str | None, scope: ScopeResult) -> str:
    """A gate that failed, for the FAILURES section."""
    from pytest_forgetting.reporting.clipping import shown_name
    from pytest_forgetting.reporting.terminal import ruling

    names = [suite.name] if category is None else [suite.name, category]
    return f"{', '.join(map(shown_name, names))}: {ruling(scope)}"


def run_of(config: pytest.Config) -> ForgettingRun:
    """The part of the plugin that is registered while a model is under test."""
    from pytest_forgetting.plugin import ACTIVE

    # Plugins have no type by their name.
    run: ForgettingRun = config.pluginmanager.get_plugin(ACTIVE)  # type: ignore[assignment]
    return run
