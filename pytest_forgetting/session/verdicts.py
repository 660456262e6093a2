"""What the gates of a run say: each verdict is reached once, over its whole scope, whichever cases were selected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_forgetting.comparison.comparison import blocks

if TYPE_CHECKING:
    from pytest_forgetting.comparison.scopes import ScopeResult
    from pytest_forgetting.evaluation.evaluation import Evaluation
    from pytest_forgetting.session.selection import Selection
    from pytest_forgetting.settings import Inconclusive
    from pytest_forgetting.suites.cases import Suite


class Verdicts:
    """The verdicts reached so far; what they need of answers is asked when they are."""

    def __init__(self, evaluation: Evaluation, selection: Selection, inconclusive: Inconclusive) -> None:
        """None is reached yet.

        Args:
            evaluation: what judges.
            selection: the gates of the run.
            inconclusive: what an undecided gate does.
        """
        self._evaluation = evaluation
        self._selection = selection
        self._inconclusive = inconclusive
        self._reached: dict[tuple[str, str | None], ScopeResult] = {}
        self._decided: bool | None = None

    def has(self, suite: Suite, category: str | None) -> bool:
        """Whether this gate's verdict is reached."""
        return (suite.nodeid, category) in self._reached

    def of(self, suite: Suite, category: str | None) -> ScopeResult:
        """The verdict of a category's gate, or with None that of the whole suite."""
        key = (suite.nodeid, category)
        if key not in self._reached:
            cases = suite.gate_scope(category)
            self._evaluation.ensure([(suite, case) for case in cases])
            judged = self._evaluation.judge_suite(suite, cases)
            # Those of a family are judged together, once for all of their gates.
            self._reached.update({(suite.nodeid, scope.name): scope for scope in judged.categories})
            if category is None:
                self._reached[key] = judged.overall
        return self._reached[key]

    def blocks(self, scope: ScopeResult) -> bool:
        """Whether a gate with this verdict fails the build."""
        undecided = scope.ruling.verdict == "inconclusive"
        decided = self._general_decided() if undecided else True
        return blocks(scope.ruling, self._inconclusive, general_decided=decided)

    def _general_decided(self) -> bool:
        """Whether any general gate of the run passed or failed; each undecided one asks."""
        if self._decided is None:
            gates = (
                (suite, gate)
                for name, suite in self._selection.suites.items()
                if suite.role == "general"
                for gate in self._selection.gates[name]
            )
            self._decided = any(self.of(suite, gate).ruling.verdict != "inconclusive" for suite, gate in gates)
        return self._decided
