"""The end of pytest's output, written from the views in `reporting`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_forgetting.reporting import terminal

if TYPE_CHECKING:
    import pytest

    from pytest_forgetting.comparison.comparison import Comparison
    from pytest_forgetting.session.output_files import Written
    from pytest_forgetting.settings import Settings


def write_summary(
    reporter: pytest.TerminalReporter, comparison: Comparison | None, written: Written, settings: Settings
) -> None:
    """Write what the run found out; under ``-q`` only table and counts, under ``-qq`` only the counts."""
    for note in written.notes:
        reporter.write_line(f"forgetting: {note}")
    if comparison is None or not comparison.suites:
        return
    if reporter.verbosity > -2:
        reporter.write_sep("=", "forgetting")
        _write_table(reporter, comparison, written, settings)
    long_parts = reporter.verbosity >= 0 and not reporter.no_summary
    if long_parts:
        _write_part(reporter, list(terminal.forgotten(comparison)))
        _write_part(
            reporter, [*terminal.causes(comparison), *terminal.advice(comparison), *terminal.further(comparison)]
        )
    reporter.write_line(terminal.counts(comparison))


def _write_part(reporter: pytest.TerminalReporter, lines: Sequence[str]) -> None:
    for line in lines:
        reporter.write_line(line)
    if lines:
        reporter.write_line("")


def _write_table(
    reporter: pytest.TerminalReporter, comparison: Comparison, written: Written, settings: Settings
) -> None:
    reporter.write_line(terminal.headline(comparison))
    for line in terminal.findings(comparison):
        reporter.write_line(line, yellow=True)
    for line in terminal.table(comparison, settings.confidence):
        reporter.write_line(line, red="  FAIL  " in line, yellow="  INCONCLUSIVE  " in line)
    for line in terminal.choices(comparison):
        reporter.write_line(line)
    for path in written.reports:
        reporter.write_line(f"report: {path}")
    reporter.write_line("")
