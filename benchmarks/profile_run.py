"""Where a small run's seconds go: imports, hashing, loading, tokenising, forward passes, pytest, exit.

    python -m benchmarks.profile_run --model FOLDER --stories FOLDER --domain FILE --work FOLDER [--repeats N] [--cpu]

Wall-clock seconds of the user's command, each moment counted once, or with `--cpu` those of all cores; medians over the
repeats. `phases.py` takes them.
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


def phases(ours: Ours, before: Callable[[], object], *, cpu: bool) -> Seconds:
    """Of one run."""
    before()
    told, started = ours.folder / "phases.json", time.time()
    os.environ |= {FILE: str(told), STARTED: "cpu" if cpu else repr(started)}
    (run,) = ours.run()
    found = json.loads(told.read_text())
    whole, ended = (run.cpu, run.cpu) if cpu else (run.seconds, started + run.seconds)
    return {**found["seconds"], EXIT: ended - found["until"], WHOLE: whole}


def medians(ours: Ours, before: Callable[[], object], repeats: int, *, cpu: bool) -> Seconds:
    """Of `repeats` runs, after one that does not count."""
    runs = [phases(ours, before, cpu=cpu) for _ in range(repeats + 1)][1:]
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
    parser = parser_of((__doc__ or "").splitlines()[0])
    parser.add_argument("--cpu", action="store_true", help="seconds of all cores, which other work disturbs less")
    chosen = parser.parse_args()
    setting = setting_of(chosen)
    spoken = watched(cloze(setting, "profile_generation", 24, ["\n"]))
    chosen_between = watched(next_sentence(setting, "profile_choices"))
    full: Path = spoken.filled(setting.work / "profile_store")
    columns = {
        "generation": (spoken, spoken.empty),
        "generation, all stored": (spoken, lambda: spoken.fill(full)),
        "choices": (chosen_between, chosen_between.empty),
    }
    print(table({name: medians(*each, setting.repeats, cpu=chosen.cpu) for name, each in columns.items()}))


if __name__ == "__main__":
    main()
