"""Progress of long work, in pytest's terminal: a bar that moves, or in a log a line now and then."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pytest_forgetting.session.pace import Pace

LOG_EVERY = 10.0
"""Seconds between lines in a log; more where the work goes on for long."""
LOG_SHARE = 0.1
"""Of the time that the work has taken, that lies between two lines at least: hours of work fill no log."""
REDRAW_EVERY = 0.1
"""Seconds between redraws in a terminal."""
NARROW = 40
"""Columns below which pytest takes a terminal's width for wrong, and nothing is drawn anew."""
SHORTEST_BAR = 8


class Output(Protocol):
    """What progress is written to: pytest's own reporter."""

    @property
    def isatty(self) -> bool:
        """Whether a line can be drawn anew."""

    @property
    def verbosity(self) -> int:
        """Below 0 nothing is written."""

    def ensure_newline(self) -> None:
        """Leave the line on which outcomes of tests stand."""

    def write_line(self, line: str) -> None:
        """Write one line."""

    def rewrite(self, line: str, *, erase: bool) -> None:
        """Draw the last line anew."""


@dataclass
class Work:
    """What one process is asking one model."""

    begun: float
    """When its model began to load, or to answer."""
    ref: str = ""
    """The model that is being loaded, or was."""
    label: str = ""
    """Empty until answers are computed."""
    total: int = 0
    cost: float = 0.0
    started: float = 0.0
    done: int = 0
    spent: float = 0.0
    """Of `cost`."""

    def told(self, now: float) -> str:
        """The line that stays when it is done."""
        loaded = f", {self.ref} loaded in {self.started - self.begun:.1f} s" if self.ref else ""
        return f"forgetting: {self.label} {_answers(self.done)} in {now - self.started:.1f} s{loaded}"


class TerminalProgress:
    """Writes through pytest's reporter, which is not captured while items are not running.

    Several processes may work at once; each says who it is.
    """

    def __init__(self, reporter: Output | None, clock: Callable[[], float] = time.monotonic) -> None:
        """Write to `reporter`; without one, or under ``-q``, stay silent."""
        quiet = reporter is None or reporter.verbosity < 0
        self._reporter = None if quiet else reporter
        self._clock = clock
        self._moves = not quiet and reporter is not None and reporter.isatty and _columns() >= NARROW
        self._works: dict[str, Work] = {}
        self._pace = Pace()
        self._told = self._begun = 0.0
        self._drawn = False

    def load(self, ref: str, who: str = "") -> None:
        """The model `ref` is about to be loaded."""
        self._enter(who, Work(self._clock(), ref))
        if self._moves:
            self._draw()
        else:
            self._write(f"forgetting: loading {ref}")

    def start(self, label: str, total: int, cost: float = 0.0, who: str = "") -> None:
        """`total` answers of `label` are about to be computed; told once more, it corrects what is still to come.

        Args:
            label: which side they are of.
            total: how many.
            cost: of all of them, in the unit of `advance`; without it each costs the same.
            who: computes them.
        """
        now = self._clock()
        work = self._works.get(who) or self._enter(who, Work(now))
        if work.label != label:
            work.label, work.started = label, now
            self._pace.begin(now)
            self._told = now  # however long loading took, the first answer is not worth a line
        work.total, work.cost = work.done + total, work.spent + (cost or total)
        if self._moves:
            self._draw()

    def advance(self, done: int, cost: float = 0.0, who: str = "") -> None:
        """`done` more of them are there, which have cost `cost`."""
        work, now = self._works[who], self._clock()
        work.done += done
        work.spent += cost or done
        self._pace.add(cost or done, now)
        if now - self._told < self._between(now) or (not self._moves and work.done >= work.total):
            return
        self._told = now
        if self._moves:
            self._draw()
        else:
            self._write(self._line())

    def finish(self, who: str = "") -> None:
        """That was all, or it ended early."""
        work = self._works.pop(who, None)
        self.clear()
        if work is not None and work.label:
            self._write(work.told(self._clock()))

    def clear(self) -> None:
        """Leave nothing of what was drawn."""
        if self._drawn and self._reporter is not None:
            self._reporter.rewrite("", erase=True)
            self._reporter.rewrite("", erase=False)
        self._drawn = False

    def _enter(self, who: str, work: Work) -> Work:
        if not self._works:
            self._pace, self._told, self._begun = Pace(), work.begun, work.begun
        self._works[who] = work
        return work

    def _between(self, now: float) -> float:
        return REDRAW_EVERY if self._moves else max(LOG_EVERY, LOG_SHARE * (now - self._begun))

    def _write(self, line: str) -> None:
        if self._reporter is not None:
            self._reporter.ensure_newline()
            self._reporter.write_line(line)

    def _draw(self) -> None:
        if self._reporter is not None:
            if not self._drawn:
                self._reporter.ensure_newline()
            self._drawn = True
            self._reporter.rewrite(self._fitted(_columns() - 1), erase=True)

    def _line(self) -> str:
        working = self._working()
        if not working:
            return f"forgetting: loading {', '.join(work.ref for work in self._works.values())}"
        done, total = sum(work.done for work in working), sum(work.total for work in working)
        return f"forgetting: {_labels(working)} {done}/{total} answers{self._forecast(working)}"

    def _fitted(self, width: int) -> str:
        """The line with a bar as wide as there is room for; without one where there is none."""
        line, working = self._line(), self._working()
        head = f"forgetting: {_labels(working)} "
        room = width - len(line) - 1
        if working and room >= SHORTEST_BAR:
            return head + _bar(self._share(working), room) + " " + line.removeprefix(head)
        return line if len(line) <= width else f"{line.removeprefix('forgetting: ')[: width - 1]}…"

    def _working(self) -> list[Work]:
        return [work for work in self._works.values() if work.label]

    def _share(self, working: Sequence[Work]) -> float:
        return min(1.0, sum(work.spent for work in working) / max(sum(work.cost for work in working), 1.0))

    def _forecast(self, working: Sequence[Work]) -> str:
        """Answers a second so far; and from what the work costs, the time it still takes."""
        left = self._pace.seconds_for(sum(work.cost - work.spent for work in working))
        if left is None:
            return ""
        seconds = max(self._clock() - min(work.started for work in working), 1e-9)
        return f", {sum(work.done for work in working) / seconds:.1f}/s, {_span(left)} left"


def _labels(working: Sequence[Work]) -> str:
    return " and ".join(dict.fromkeys(work.label for work in working))


def _answers(number: int) -> str:
    return f"{number} answer{'s' * (number != 1)}"


def _columns() -> int:
    return shutil.get_terminal_size().columns


def _span(seconds: float) -> str:
    """Seconds in the unit that a person would choose."""
    if seconds < 99.5:
        return f"{max(seconds, 0.0):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 99.5 * 60 else f"{seconds / 3600:.1f} h"


def _bar(share: float, width: int) -> str:
    from tqdm import tqdm  # here, as it takes a while to import, and logs need none

    encoding = getattr(sys.__stdout__, "encoding", None) or ""
    return str(tqdm.format_meter(share, 1, 0, ncols=width, ascii="utf" not in encoding.lower(), bar_format="{bar}"))
