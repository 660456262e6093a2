"""The comparison displayed in Python: as a line (`repr`), as text (`print`), as a table in a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from tabulate import tabulate

from pytest_forgetting.comparison.comparison import Comparison
from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.reporting import terminal
from pytest_forgetting.reporting.clipping import clipped, harmless
from pytest_forgetting.reporting.files import WRITERS, write_report


@dataclass(frozen=True)
class Display:
    """How comparisons show themselves."""

    def line(self, comparison: Comparison) -> str:
        """``<Comparison fail: ./ckpt against base · 1 suite · 5 cases: 3 retained, 2 forgotten, …>``."""
        head = clipped(terminal.headline(comparison), 200)
        return f"<Comparison {comparison.decision}: {head}: {terminal.counts(comparison)}>"

    def text(self, comparison: Comparison) -> str:
        """Table, forgotten cases, causes, advice and counts, as below a run of pytest."""
        return "\n".join(told(comparison))

    def write(self, comparison: Comparison, path: Path) -> None:
        """Write a report.

        Raises:
            WrongUsage: there is none of that suffix.
            OSError: the file cannot be written; an older one is left as it was.
        """
        if path.suffix not in WRITERS:
            raise WrongUsage(f"{path}: no report is of suffix '{path.suffix}'; wanted one of {', '.join(WRITERS)}")
        write_report(comparison, path)

    def html(self, comparison: Comparison) -> str:
        """The table between the headline and the counts; nothing of it can command a browser."""
        head, rows = terminal.cells(comparison, comparison.confidence)
        indented = [[row[0].replace("  ", "\u2003", 1), *row[1:]] for row in rows]
        plain = [[harmless(cell) for cell in row] for row in indented]
        table = tabulate(plain, head, tablefmt="html", colalign=terminal.ALIGN, disable_numparse=True)
        notes = [*terminal.findings(comparison), terminal.counts(comparison)]
        headline = escape(harmless(terminal.headline(comparison)))
        above = f"<p><b>{escape(comparison.decision)}</b> {headline}</p>"
        return above + table + "".join(f"<p>{escape(note)}</p>" for note in notes)


def told(comparison: Comparison) -> Iterator[str]:
    """All that is told of a comparison in lines."""
    yield terminal.headline(comparison)
    yield from terminal.findings(comparison)
    yield from terminal.table(comparison, comparison.confidence)
    yield from terminal.choices(comparison)
    yield from terminal.forgotten(comparison)
    yield from terminal.causes(comparison)
    yield from terminal.advice(comparison)
    yield terminal.counts(comparison)
