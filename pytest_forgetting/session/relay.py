"""Progress from xdist's workers, which have no terminal, to the controller, which has one but no hook while it waits.

Workers append what happens to files in one folder; a thread of the controller reads on, and shows it as if it had
happened there.
"""

from __future__ import annotations

import contextlib
import json
import threading
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from pytest_forgetting.session.progress import TerminalProgress

if TYPE_CHECKING:
    from pytest_forgetting.session.progress import Output

LOOK_EVERY = 0.2
"""Seconds between two looks at the files."""


class Teller:
    """Progress in a worker."""

    def __init__(self, path: Path) -> None:
        """Append to `path`."""
        self._path = path

    def load(self, ref: str) -> None:
        """The model `ref` is about to be loaded."""
        self._tell("load", ref=ref)

    def start(self, label: str, total: int, cost: float = 0.0) -> None:
        """`total` answers of `label` are about to be computed."""
        self._tell("start", label=label, total=total, cost=cost)

    def advance(self, done: int, cost: float = 0.0) -> None:
        """`done` more of them are there."""
        self._tell("advance", done=done, cost=cost)

    def finish(self) -> None:
        """That was all."""
        self._tell("finish")

    def _tell(self, what: str, **values: Any) -> None:
        # The clock is one for all processes of a machine, and workers are on this one: they share the folder.
        with contextlib.suppress(OSError), self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([monotonic(), what, values]) + "\n")


class Relay:
    """Shows in the controller's terminal what workers tell, until there is something else to be shown."""

    def __init__(self, folder: Path, reporter: Output) -> None:
        """Read the files that will lie in `folder`, and write to `reporter`."""
        self._folder = folder
        self._now = 0.0
        self._shown = TerminalProgress(reporter, clock=lambda: self._now)
        self._read: dict[Path, int] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="forgetting-progress", daemon=True)

    def start(self) -> None:
        """Begin to watch; nothing the second time."""
        if self._thread.ident is None and not self._ended.is_set():
            self._thread.start()

    def stop(self) -> None:
        """Show what has happened up to now, and leave the terminal to others; nothing the second time."""
        if self._ended.is_set():
            return
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._look()
        self._shown.clear()

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_EVERY):
            self._look()

    def _look(self) -> None:
        events = [event for path in sorted(self._folder.glob("*.jsonl")) for event in self._new(path)]
        for now, what, values, who in sorted(events, key=lambda event: float(event[0])):
            self._now = now
            getattr(self._shown, what)(**values, who=who)

    def _new(self, path: Path) -> list[tuple[float, str, dict[str, Any], str]]:
        """What was appended since the last look; half a line is left for the next."""
        with path.open("rb") as file:
            file.seek(self._read.get(path, 0))
            whole, end, _ = file.read().rpartition(b"\n")
        self._read[path] = self._read.get(path, 0) + len(whole + end)
        return [(*json.loads(line), path.stem) for line in whole.splitlines()]
