"""The run's end: one comparison from all that was answered, and the files that were asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_forgetting.comparison.comparison import Decision, Finding, Timing
from pytest_forgetting.errors import WrongUsage

if TYPE_CHECKING:
    from pytest_forgetting.answers.interview import Interview
    from pytest_forgetting.answers.served_interview import ServedInterview
    from pytest_forgetting.comparison.comparison import Comparison
    from pytest_forgetting.comparison.scopes import SuiteResult
    from pytest_forgetting.evaluate import Evaluation
    from pytest_forgetting.session.selection import Selection
    from pytest_forgetting.settings import Settings
    from pytest_forgetting.sides.recorder import Recorder
    from pytest_forgetting.suites.cases import Suite

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
    return Timing.of(asked, seconds, computed)


def see_files(settings: Settings) -> None:
    """See that all files can be written that were asked for, before a model is loaded for them.

    Raises:
        WrongUsage: one cannot, or would take the place of a recording that the run reads or writes.
    """
    named = (("--model", settings.model), ("--baseline", settings.baseline))
    taken = {Path(ref).resolve(): option for option, ref in named if ref is not None and Path(ref).is_file()}
    if settings.record is not None:
        _see_writable("--forgetting-record", settings.record)
        taken[settings.record.resolve()] = "--forgetting-record"
    for path in settings.reports:
        if (option := taken.get(path.resolve())) is not None:
            raise WrongUsage(f"--forgetting-report {path}: is the recording of {option}; name another file")
        _see_writable("--forgetting-report", path)


def see_suites_kept(settings: Settings, suites: Sequence[Suite], root: Path) -> None:
    """See that no report takes the place of a file that holds cases.

    Args:
        settings: of the run.
        suites: that were selected.
        root: the folder that the names of files start from.

    Raises:
        WrongUsage: one would.
    """
    if not settings.reports:
        return
    names = {case.file for suite in suites for case in suite.cases}
    read = {path.resolve() for path in (*(suite.path for suite in suites), *(root / name for name in names))}
    for path in settings.reports:
        if path.resolve() in read:
            raise WrongUsage(f"--forgetting-report {path}: holds cases of this run; name another file")


def _see_writable(option: str, path: Path) -> None:
    from pytest_forgetting.reporting.files import why_unwritable

    if (why := why_unwritable(path)) is not None:
        raise WrongUsage(f"{option} {path}: cannot be written: {why}")


@dataclass
class Written:
    """What became of the files that were asked for."""

    notes: list[str] = field(default_factory=list)
    reports: list[Path] = field(default_factory=list)
    failed: bool = False
    """Whether one is missing."""

    @contextmanager
    def attempt(self, path: Path) -> Iterator[None]:
        """A file that cannot be written is noted, and keeps no other from being written."""
        try:
            yield
        except OSError as error:
            self.failed = True
            self.notes.append(f"could not write {path}: {error.strerror or error}")


def write_files(
    comparison: Comparison | None, recorder: Recorder | None, selection: Selection, settings: Settings
) -> Written:
    """Write recording and reports, each whatever becomes of the others; where one fails an older file stays."""
    from pytest_forgetting.reporting.files import write_report

    written = Written()
    if recorder is not None and settings.record is not None and selection.suites:
        with written.attempt(settings.record):
            written.notes.append(recorder.write(selection.wanted()))
    if comparison is None:
        if settings.reports:
            written.notes.append("no report: where only a baseline is recorded nothing is compared")
        return written
    for path in dict.fromkeys(settings.reports):
        with written.attempt(path):
            write_report(comparison, path)
            written.reports.append(path)
    return written
