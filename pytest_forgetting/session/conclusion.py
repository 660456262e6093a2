"""The run's end: one comparison from all that was answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_forgetting.comparison.comparison import Decision, Timing
from pytest_forgetting.comparison.participants import Finding

if TYPE_CHECKING:
    from pytest_forgetting.answers.served_interview import AnyInterview
    from pytest_forgetting.comparison.comparison import Comparison
    from pytest_forgetting.comparison.scopes import SuiteResult
    from pytest_forgetting.evaluation.evaluation import Evaluation
    from pytest_forgetting.session.selection import Selection

Effort = Mapping[str, Mapping[Any, Any]]
"""What asking cost one process, by side, as plain values that travel between processes."""

OVERRULED = (
    "exit code 1: the run fails, although pytest has seen no item fail; what failed was not selected or not run, or was"
    " marked or changed by a conftest or another plugin"
)
"""Told where the verdict is red and pytest's own count of failures is not."""


def compared(
    evaluation: Evaluation, selection: Selection, efforts: Sequence[Effort], unread: Sequence[str] = ()
) -> Comparison:
    """Everything that was selected, judged; where the run ended before its answers were there, it did not pass.

    Nor did it where suites could not be read, `unread`.
    """
    result = evaluation.comparison(list(_judged(evaluation, selection)), _timing(selection, efforts))
    if unread:
        result = _undecided(result, "unread", f"suites that could not be read: {', '.join(unread)}")
    open_suites = [
        suite.name
        for name, suite in sorted(selection.suites.items())
        if selection.gates[name] and not evaluation.knows(selection.in_order(suite))
    ]
    if not open_suites:
        return result
    told = f"the run ended before all answers were there, so that no gate was judged of: {', '.join(open_suites)}"
    return _undecided(result, "unfinished", told)


def _undecided(result: Comparison, finding: str, told: str) -> Comparison:
    decision: Decision = "inconclusive" if result.decision == "pass" else result.decision
    return replace(result, decision=decision, audit=(*result.audit, Finding(finding, "warning", told)))


def is_unfinished(comparison: Comparison) -> bool:
    """Whether gates were not judged, as answers were missing."""
    return any(each.finding == "unfinished" for each in comparison.audit)


def _judged(evaluation: Evaluation, selection: Selection) -> Iterator[SuiteResult]:
    for name, suite in sorted(selection.suites.items()):
        cases = selection.in_order(suite)
        gates = selection.gates[name] if evaluation.knows(cases) else set()
        yield evaluation.judge_suite(suite, cases, gates)


def effort_of(interview: AnyInterview | None) -> list[Effort]:
    """What asking cost in this process; nothing where nobody could be asked."""
    if interview is None:
        return []
    effort = interview.effort
    return [{"seconds": {**effort.seconds}, "computed": {**effort.computed}}]


def _timing(selection: Selection, efforts: Sequence[Effort]) -> Timing:
    asked = sum(1 for _, case in selection.wanted() if case.skip is None)
    seconds, computed = (
        {side: sum(effort[what][side] for effort in efforts) for side in ("baseline", "model")}
        for what in ("seconds", "computed")
    )
    return Timing.of(asked, seconds, computed)
