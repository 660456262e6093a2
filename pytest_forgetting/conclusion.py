"""The run's end: one comparison from all that was answered, and the files that were asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_forgetting.comparison.comparison import Timing

if TYPE_CHECKING:
    from pytest_forgetting.answers.interview import Interview
    from pytest_forgetting.answers.served_interview import ServedInterview
    from pytest_forgetting.comparison.comparison import Comparison, SuiteResult
    from pytest_forgetting.evaluate import Evaluation
    from pytest_forgetting.recorder import Recorder
    from pytest_forgetting.selection import Selection
    from pytest_forgetting.settings import Settings

Effort = Mapping[str, Mapping[Any, Any]]
"""What asking cost one process, by side, as plain values that travel between processes."""


def compared(evaluation: Evaluation, selection: Selection, efforts: Sequence[Effort]) -> Comparison:
    """Everything that was selected, judged."""
    return evaluation.comparison(list(_judged(evaluation, selection)), _timing(selection, efforts))


def _judged(evaluation: Evaluation, selection: Selection) -> Iterator[SuiteResult]:
    for name, suite in sorted(selection.suites.items()):
        cases = selection.in_order(suite)
        gates = selection.gates[name] if evaluation.knows(cases) else set()
        yield evaluation.judge_suite(suite, cases, gates)


def effort_of(interview: Interview | ServedInterview | None) -> list[Effort]:
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
    return Timing(
        baseline_seconds=round(seconds["baseline"], 3),
        model_seconds=round(seconds["model"], 3),
        baseline_computed=computed["baseline"],
        model_computed=computed["model"],
        baseline_stored=max(0, asked - computed["baseline"]),
        model_stored=max(0, asked - computed["model"]),
    )


def write_files(
    comparison: Comparison | None, recorder: Recorder | None, selection: Selection, settings: Settings
) -> Iterator[str]:
    """Write reports and recording; what there is to say about them.

    Raises:
        OSError: a file cannot be written; an older one is left as it was.
    """
    from pytest_forgetting.reporting.files import write_report

    if comparison is not None:
        for path in settings.reports:
            write_report(comparison, path)
    if recorder is not None and selection.suites:
        yield recorder.write(selection.wanted())
