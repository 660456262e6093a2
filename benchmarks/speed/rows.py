"""The rows of the tables: a comparison with somebody else's tool, or a figure that has a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from tabulate import tabulate

from benchmarks.speed.measuring import Measured, agreement


@dataclass(frozen=True)
class Comparison:
    """How many times as long the other side takes."""

    what: str
    against: str
    target: float
    ratios: list[float]
    """Of each repeat: seconds of the other side by ours."""
    seconds: tuple[float, float]
    """Medians, the other side's and ours."""
    mib: tuple[float, float]
    """Peaks, the other side's and ours."""
    cpu: tuple[float, float]
    """Median seconds of all cores over whole processes, the other side's and ours."""
    same: int
    answers: int
    note: str = ""
    kind: str = field(default="comparison", init=False)

    @classmethod
    def of(cls, what: str, against: str, target: float, both: tuple[Measured, Measured], note: str = "") -> Comparison:
        """Made of what was measured of the other side and of ours."""
        theirs, ours = both
        ratios = [one / other for one, other in zip(theirs.seconds, ours.seconds, strict=True)]
        same, count = agreement(ours.answers, theirs.answers)
        seconds, mib = (theirs.middle, ours.middle), (theirs.peak, ours.peak)
        cpu = (median(theirs.cpu), median(ours.cpu))
        return cls(what, against, target, ratios, seconds, mib, cpu, same, count, note)


@dataclass(frozen=True)
class Limit:
    """A figure that is to stay small."""

    what: str
    unit: str
    most: float
    values: list[float]
    """Of each repeat."""
    note: str = ""
    kind: str = field(default="limit", init=False)


Row = Comparison | Limit


def as_json(row: Row) -> dict[str, Any]:
    """Plain values."""
    return asdict(row)


def from_json(given: dict[str, Any]) -> Row:
    """The same back."""
    kind = given.pop("kind")
    if kind == "limit":
        return Limit(**given)
    return Comparison(**{**given, **{name: tuple(given[name]) for name in ("seconds", "mib", "cpu")}})


def spread(values: Sequence[float], form: str) -> str:
    """Median, and where there are several, lowest and highest."""
    told = format(median(values), form)
    return told if len(values) < 2 else f"{told} ({min(values):{form}} … {max(values):{form}})"


def tables(rows: Sequence[Row]) -> str:
    """All rows in Markdown."""
    compared = [_comparison(row) for row in rows if isinstance(row, Comparison)]
    limits = [_limit(row) for row in rows if isinstance(row, Limit)]
    heads = ["what is run", "against", "other / ours", "wanted", "other, s", "ours, s", "other, MiB", "ours, MiB",
             "equal answers"]  # fmt: skip
    parts = [_markdown(compared, heads)] if compared else []
    parts += [_markdown(limits, ["what is measured", "figure", "at most"])] if limits else []
    notes = [f"- {row.what}: {row.note}" for row in rows if row.note]
    return "\n\n".join([*parts, *(["\n".join(notes)] if notes else [])])


def _comparison(row: Comparison) -> list[str]:
    seconds, mib = ([f"{each:.1f}" if each >= 1 else f"{each:.2f}" for each in row.seconds]), row.mib
    equal = f"{row.same:,} of {row.answers:,}"
    ratio = spread(row.ratios, ".1f" if median(row.ratios) >= 10 else ".2f")
    return [row.what, row.against, ratio, f"{row.target:g}", *seconds, *(f"{each:,.0f}" for each in mib), equal]


def _limit(row: Limit) -> list[str]:
    return [row.what, f"{spread(row.values, '.3g')} {row.unit}".strip(), f"{row.most:g} {row.unit}".strip()]


def _markdown(lines: Sequence[Sequence[str]], heads: Sequence[str]) -> str:
    return tabulate(lines, heads, tablefmt="github", disable_numparse=True)
