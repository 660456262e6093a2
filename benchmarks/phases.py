"""A pytest plugin (`-p benchmarks.phases`) that writes where the seconds of a run have gone.

Each moment belongs to one phase, the innermost: imports by the library that is imported, and the functions in
`WATCHED`. PHASES_STARTED is the moment (seconds since the epoch) when the process was started, or `cpu` for seconds of
all cores instead of the clock's; PHASES_FILE takes JSON.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

STARTED, FILE = "PHASES_STARTED", "PHASES_FILE"
START, REST = "Python and pytest start", "pytest, its items and what is not named"
LIBRARIES = ("torch", "transformers", "scipy", "peft", "pydantic", "pytest_forgetting")
PACKAGE = "pytest_forgetting"
FORWARD, PADDING = "forward passes", "padding, and picking rows of the cache"
WATCHED = {
    "models.fingerprint": {"_hashed": "hashing of weights"},
    "models.local_model": {"LocalModel.fingerprint_now": "fingerprints, less hashing"},
    "models.resident": {"Resident.load": "loading of weights", "Resident._tokenizer": "loading of tokenizers"},
    "answers.asking": {"row_for": "tokenising", "parts_of": "tokenising"},
    "answers.generation": {"Decoder._advance": "picking tokens, detokenising"},
    "answers.likelihood": {"Scorer._last_logits": FORWARD, "Scorer.score": "summing log-likelihoods"},
    "answers.kv_cache": {"Reader._read_behind": PADDING, "Reader.go_on": PADDING, "Reader._forward": FORWARD,
                        "Read.select": PADDING, "Read.rewind": PADDING, "Read.repeated": PADDING},
    "answers.store": {"Store.__init__": "store", "Store.recall": "store", "Store.keep": "store",
                      "Store.close": "store"},
    "suite_loader": {"SuiteLoader._read": "reading of suites"},
    "evaluation.evaluation": {"Evaluation.recall": "grading", "Evaluation.judge_suite": "grading"},
    "session.conclusion": {"compared": "comparing"},
    "session.output_files": {"write_files": "reports"},
}  # fmt: skip
"""By module of the package: its functions, as it names them itself, and the phase that each is."""


class Clock:
    """Sums the time of nested phases, each without those within it."""

    def __init__(self, started: str | None) -> None:
        """The process began at `started`, in seconds since the epoch; or `cpu`."""
        self.now = time.process_time if started == "cpu" else time.time
        self.seconds: dict[str, float] = defaultdict(float)
        self.phases = [START]
        self._since = 0.0 if started == "cpu" else float(started or self.now())

    def _turn(self) -> None:
        now = self.now()
        self.seconds[self.phases[-1]] += now - self._since
        self._since = now

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Everything in the block is `name`."""
        self._turn()
        self.phases.append(name)
        try:
            yield
        finally:
            self._turn()
            self.phases.pop()

    def go_on(self, name: str) -> None:
        """The outermost phase is `name` from here on."""
        self._turn()
        self.phases[0] = name


CLOCK = Clock(os.environ.get(STARTED))


def timed(function: Callable[..., Any], phase: str) -> Callable[..., Any]:
    """The same function, timed."""

    @functools.wraps(function)
    def within(*arguments: Any, **named: Any) -> Any:
        with CLOCK.phase(phase):
            return function(*arguments, **named)

    return within


def watch(name: str) -> None:
    """Time the functions of a module of the package that has just been imported."""
    for path, phase in WATCHED.get(name.removeprefix(f"{PACKAGE}."), {}).items():
        *outer, last = path.split(".")
        owner = functools.reduce(getattr, outer, sys.modules[name])
        setattr(owner, last, timed(getattr(owner, last), phase))


def watch_imports() -> None:
    """Time each import that is not there yet; what a library imports in its turn counts as the library's."""
    bootstrap: Any = sys.modules["_frozen_importlib"]
    find: Callable[[str, Any], Any] = bootstrap._find_and_load

    def find_and_load(name: str, import_: Any) -> Any:
        library = name.partition(".")[0]
        known, outer = library in LIBRARIES, CLOCK.phases[-1]
        phase = f"import of {library}" if known else outer if outer.startswith("import of") else "import of others"
        fresh = name not in sys.modules
        with CLOCK.phase(phase):
            module = find(name, import_)
        if fresh and library == PACKAGE:
            watch(name)
        return module

    bootstrap._find_and_load = find_and_load


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """From here on it is no longer pytest's start."""
    CLOCK.go_on(REST)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Write the seconds by phase, and the moment at which all that is left is to exit."""
    CLOCK.go_on(REST)
    if FILE in os.environ:
        Path(os.environ[FILE]).write_text(
            json.dumps({"seconds": CLOCK.seconds, "until": CLOCK.now()}), encoding="utf-8"
        )


if STARTED in os.environ:  # or it is imported only for its names
    watch_imports()
