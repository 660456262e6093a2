"""Progress of long work, in pytest's terminal: a line that moves, or in a log a line now and then."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

LOG_EVERY = 10.0
"""Seconds between lines in a log."""
REDRAW_EVERY = 0.1
"""Seconds between redraws in a terminal."""


class TerminalProgress:
    """Writes through pytest's reporter, which is not captured while items are not running."""

    def __init__(self, reporter: pytest.TerminalReporter | None) -> None:
        """Write to `reporter`; a worker of xdist has none, and stays silent."""
        quiet = reporter is None or reporter.verbosity < 0
        self._reporter = None if quiet else reporter

    def start(self, label: str, total: int) -> None:
        """`total` answers of `label` are about to be computed."""
        self._label, self._total, self._done = label, total, 0
        self._started = self._told = time.monotonic()
        if self._reporter is not None and self._reporter.isatty:
            self._redraw()

    def advance(self, done: int) -> None:
        """`done` more of them are there."""
        self._done += done
        now = time.monotonic()
        reporter = self._reporter
        if reporter is None:
            return
        if reporter.isatty and now - self._told >= REDRAW_EVERY:
            self._told = now
            self._redraw()
        elif not reporter.isatty and now - self._told >= LOG_EVERY and self._done < self._total:
            self._told = now
            reporter.write_line(self._line())

    def finish(self) -> None:
        """That was all."""
        if self._reporter is None:
            return
        seconds = time.monotonic() - self._started
        line = f"forgetting: {self._label} {self._done} answers in {seconds:.1f} s"
        if self._reporter.isatty:
            self._reporter.rewrite(line, erase=True)
            self._reporter.write_line("")
        else:
            self._reporter.write_line(line)

    def _redraw(self) -> None:
        assert self._reporter is not None
        self._reporter.rewrite(self._line(), erase=True)

    def _line(self) -> str:
        seconds = time.monotonic() - self._started
        told = f"forgetting: {self._label} {self._done}/{self._total} answers"
        if not self._done:
            return f"{told}, loading"
        rate = self._done / max(seconds, 1e-9)
        return f"{told}, {rate:.1f}/s, {(self._total - self._done) / rate:.0f} s left"
