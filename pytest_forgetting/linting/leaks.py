"""Cases that stand in training data.

As GPT-3's authors looked for contamination (Brown et al. 2020, appendix C): runs of 13 words in common, of texts of 8
to 12 words all of them; shorter ones too are looked for whole. Time grows with the words of the training data and of
the suites (all runs are looked up at once), memory with the suites alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pytest_forgetting.linting.words import asked, words
from pytest_forgetting.suites.cases import Case

RUN = 13
"""Words in a row."""
SHORTEST = 3
"""Words of a prompt that is looked for: shorter ones stand everywhere."""
_Run = tuple[str, ...]


@dataclass(frozen=True)
class Leak:
    """A case, and the first row of training data in which it stands."""

    case: Case
    place: str
    run: str
    """The words in common."""
    whole: bool
    """All that the case asks, and not a part of it."""
    with_answer: bool
    """Whether an accepted answer stands there too."""
    more: int
    """Further rows in which it stands."""


def leaks(cases: Iterable[Case], rows: Iterable[tuple[str, str]]) -> Iterator[Leak]:
    """The cases that stand in training data, in their own order.

    Args:
        cases: of any suites.
        rows: place and text of each row of the data; they are read once.
    """
    asking = [(case, words(asked(case))) for case in cases]
    runs = {run for _, said in asking for run in _runs(said)}
    lengths = _lengths(runs)
    found: dict[_Run, list[tuple[str, _Run]]] = {}
    for place, text in rows:
        row = words(text)
        for run in _held(row, runs, lengths):
            found.setdefault(run, []).append((place, row))
    for case, said in asking:
        hits = [(run, hit) for run in _runs(said) for hit in found.get(run, ())]
        if hits:
            yield _leak(case, said, hits)


def _leak(case: Case, said: _Run, hits: list[tuple[_Run, tuple[str, _Run]]]) -> Leak:
    accepted = [words(answer) for answer in case.expected]
    answered = next((hit for hit in hits if any(_holds(hit[1][1], answer) for answer in accepted)), None)
    run, (place, _) = answered or hits[0]
    places = {place for _, (place, _) in hits}
    return Leak(case, place, " ".join(run), run == said, answered is not None, len(places) - 1)


def _runs(said: _Run) -> Iterator[_Run]:
    if SHORTEST <= len(said) <= RUN:
        yield said
    else:
        yield from (said[n : n + RUN] for n in range(len(said) - RUN + 1))


def _lengths(runs: Iterable[_Run]) -> dict[_Run, list[int]]:
    """How long the runs are that begin with the same words."""
    lengths: dict[_Run, set[int]] = {}
    for run in runs:
        lengths.setdefault(run[:SHORTEST], set()).add(len(run))
    return {start: sorted(each) for start, each in lengths.items()}


def _held(row: _Run, runs: set[_Run], lengths: dict[_Run, list[int]]) -> set[_Run]:
    """The runs that stand in a row."""
    starts = zip(*(row[n:] for n in range(SHORTEST)), strict=False)
    return {
        run for n, start in enumerate(starts) for long in lengths.get(start, ()) if (run := row[n : n + long]) in runs
    }


def _holds(row: _Run, answer: _Run) -> bool:
    return bool(answer) and any(row[n : n + len(answer)] == answer for n in range(len(row) - len(answer) + 1))
