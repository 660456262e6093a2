"""Where a small run's seconds go: imports, hashing, loading, tokenising, forward passes, pytest, exit.

    python -m benchmarks.profile_run --model FOLDER --stories FOLDER --domain FILE --work FOLDER [--repeats N]

Wall-clock seconds of the user's command, each moment counted once; medians over the repeats. `phases.py` takes them.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

from tabulate import tabulate

from benchmarks.phases import FILE, STARTED
from benchmarks.speed.ours import Ours, cloze, next_sentence
from benchmarks.speed.setting import parser_of, setting_of

EXIT = "exit of the interpreter"
WHOLE = "whole run"
Seconds = dict[str, float]


def phases(ours: Ours, before: Callable[[], object]) -> Seconds:
    """Of one run."""
    before()
    told = ours.folder / "phases.json"
    os.environ |= {FILE: str(told), STARTED: repr(time.time())}
    (run,) = ours.run()
    ended = float(os.environ[STARTED]) + run.seconds
    found = json.loads(told.read_text())
    return {**found["seconds"], EXIT: ended - found["until"], WHOLE: run.seconds}


def medians(ours: Ours, before: Callable[[], object], repeats: int) -> Seconds:
    """Of `repeats` runs, after one that does not count."""
    runs = [phases(ours, before) for _ in range(repeats + 1)][1:]
    names = {name: None for run in runs for name in run}
    return {name: median(run.get(name, 0.0) for run in runs) for name in names}


def table(columns: dict[str, Seconds]) -> str:
    """In Markdown, the longest phases first."""
    names = {name for column in columns.values() for name in column}
    order = sorted(names, key=lambda name: max(column.get(name, 0.0) for column in columns.values()), reverse=True)
    order = [*(name for name in order if name != WHOLE), WHOLE]
    lines = [[name, *(f"{column.get(name, 0.0):.2f}" for column in columns.values())] for name in order]
    return tabulate(lines, ["seconds", *columns], tablefmt="github", disable_numparse=True)


def watched(ours: Ours) -> Ours:
    """The same command with the plugin that takes the times."""
    return replace(ours, options=(*ours.options, "-p", "benchmarks.phases"))


def main() -> None:
    """Run, print."""
    setting = setting_of(parser_of((__doc__ or "").splitlines()[0]).parse_args())
    spoken = watched(cloze(setting, "profile_generation", 24, ["\n"]))
    chosen_between = watched(next_sentence(setting, "profile_choices"))
    full: Path = spoken.filled(setting.work / "profile_store")
    print(table({
        "generation": medians(spoken, spoken.empty, setting.repeats),
        "generation, all stored": medians(spoken, lambda: spoken.fill(full), setting.repeats),
        "choices": medians(chosen_between, chosen_between.empty, setting.repeats),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
