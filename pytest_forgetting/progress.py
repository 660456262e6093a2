"""Progress of long work, in pytest's terminal: a line that moves, or in a log a line now and then."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pytest

LOG_EVERY = 10.0
"""Seconds between lines in a log."""
REDRAW_EVERY = 0.1
"""Seconds between redraws in a terminal."""


class Output(Protocol):
    """What progress is written to: pytest's own reporter, or a worker's stand-in for it."""

    @property
    def isatty(self) -> bool:
        """Whether a line can be drawn anew."""

    @property
    def verbosity(self) -> int:
        """Below 0 nothing is written."""

    def write_line(self, line: str) -> None:
        """Write one line."""

    def rewrite(self, line: str, *, erase: bool) -> None:
        """Draw the last line anew."""


class WorkerOutput:
    """A worker of xdist has no terminal, but its stderr is the controller's: lines that bear its name go there."""

    isatty = False

    def __init__(self, config: pytest.Config, worker: str) -> None:
        """Write as `worker`."""
        self._capture = config.pluginmanager.get_plugin("capturemanager")
        self._worker = worker
        self.verbosity = config.option.verbose

    def write_line(self, line: str) -> None:
        """Write past pytest's capture, which would keep it for a test's report."""
        if self._capture is None:
            print(f"[{self._worker}] {line}", file=sys.stderr, flush=True)
        else:
            with self._capture.global_and_fixture_disabled():
                print(f"[{self._worker}] {line}", file=sys.stderr, flush=True)

    def rewrite(self, line: str, *, erase: bool) -> None:
        """Never called, as this is no terminal."""


class TerminalProgress:
    """Writes through pytest's reporter, which is not captured while items are not running."""

    def __init__(self, reporter: Output | None) -> None:
        """Write to `reporter`; without one, or under ``-q``, stay silent."""
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
