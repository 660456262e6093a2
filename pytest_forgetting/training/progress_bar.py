"""Progress of a training, on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from pytest_forgetting.training.steps import OnStep

EVERY = 30.0
"""Seconds between two lines in a log."""


@contextmanager
def progress_bar(description: str) -> Iterator[OnStep]:
    """A bar that moves in a terminal; in a log, `description` as one line, and now and then how far it is."""
    if not sys.stderr.isatty():
        yield _logged(description)
        return
    with tqdm(desc=description, file=sys.stderr, unit="step") as shown:

        def on_step(done: int, total: int) -> None:
            if shown.total != total:
                shown.reset(total)
            shown.update(done - shown.n)

        yield on_step


def _logged(description: str) -> OnStep:
    print(description, file=sys.stderr, flush=True)
    last = time.monotonic()

    def on_step(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= EVERY:
            last = time.monotonic()
            print(f"  step {done} of {total}", file=sys.stderr, flush=True)

    return on_step
