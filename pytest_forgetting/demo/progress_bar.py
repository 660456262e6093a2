"""Progress of a training, on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from pytest_forgetting.training.steps import OnStep, silent


@contextmanager
def bar(description: str) -> Iterator[OnStep]:
    """A bar that moves in a terminal; in a log, `description` as one line."""
    if not sys.stderr.isatty():
        print(description, file=sys.stderr, flush=True)
        yield silent
        return
    with tqdm(desc=description, file=sys.stderr, unit="step") as shown:

        def on_step(done: int, total: int) -> None:
            if shown.total != total:
                shown.reset(total)
            shown.update(done - shown.n)

        yield on_step
