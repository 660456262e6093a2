"""Sides measured in turns, A B A B …, after one run each that does not count."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.speed.processes import Run

Answers = Mapping[str, str]
"""By side and case: a text, or a choice."""


def whole(runs: Sequence[Run]) -> float:
    """Seconds of all processes, from start to exit."""
    return sum(run.seconds for run in runs)


@dataclass(frozen=True)
class Side:
    """One of those that are compared."""

    name: str
    commands: Callable[[], Sequence[Run]]
    """Runs all that this side takes."""
    answers: Callable[[], Answers] = dict
    """What it said in its latest run."""
    before: Callable[[], object] = lambda: None
    """Makes the state in which it starts; not measured."""
    seconds: Callable[[Sequence[Run]], float] = whole
    """What of the runs counts."""


@dataclass
class Measured:
    """One side's runs."""

    seconds: list[float] = field(default_factory=list)
    mib: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    answers: Answers = field(default_factory=dict)

    @property
    def middle(self) -> float:
        """Median seconds."""
        return median(self.seconds)

    @property
    def peak(self) -> float:
        """The most memory that any process held in any run, in MiB."""
        return max(self.mib)


def measured(sides: Sequence[Side], repeats: int) -> list[Measured]:
    """Run all `sides` in turns, once to warm up and then `repeats` times."""
    found = [Measured() for _ in sides]
    for turn in range(repeats + 1):
        for side, its in zip(sides, found, strict=True):
            side.before()
            runs = side.commands()
            its.answers = side.answers()
            if turn > 0:
                its.seconds.append(side.seconds(runs))
                its.mib.append(max(run.mib for run in runs))
                its.cpu.append(sum(run.cpu for run in runs))
            cost = f"{side.seconds(runs):.2f} s, {sum(run.cpu for run in runs):.2f} s of all cores"
            print(f"  {side.name}: {cost}{' (to warm up)' * (turn == 0)}", flush=True)
    return found


def agreement(ours: Answers, theirs: Answers) -> tuple[int, int]:
    """How many answers are equal, and of how many; those that one side lacks are not."""
    keys = {*ours, *theirs}
    return sum(ours.get(key) == theirs.get(key) for key in keys), len(keys)
