"""Answers that a model gave once, to be compared with again; whether they are answers to what is asked now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.requests import Draw, Request, requests_for, scored_behind
from pytest_forgetting.models.source import Source
from pytest_forgetting.suites.cases import Case

_LONGEST = 200
"""Characters of choices, a text or a prompt that a message shows."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One answer of a recording."""

    suite: str
    id: str
    request: Request
    answer: Answer
    right: tuple[str, float] | None = None
    """A right answer to the case, and its log-likelihood behind the prompt in nats; with the first answer to a case."""


class Recording:
    """A recording read back."""

    def __init__(self, ref: str, source: Source, rows: Iterable[Recorded]) -> None:
        """Index the answers by what was asked.

        Args:
            ref: the file as the user named it.
            source: the model that was recorded.
            rows: the recorded answers, in the file's order.
        """
        self.ref = ref
        self.source = source
        self._rows: dict[tuple[str, str], list[Recorded]] = {}
        for row in rows:
            self._rows.setdefault((row.suite, row.id), []).append(row)

    def __iter__(self) -> Iterator[Recorded]:
        """All answers, in the file's order."""
        return (row for rows in self._rows.values() for row in rows)

    def requests(self, case: Case) -> tuple[Request, ...]:
        """How the recorded model would have been asked `case`."""
        return requests_for(case.prompt, chat=self.source.asks_chat(case.prompt))

    def recall(self, suite: str, case: Case) -> tuple[Answer, ...]:
        """The recorded answers; `misfits` has made sure that there are some."""
        return tuple(row.answer for row in self._rows[suite, case.id])

    @cached_property
    def likelihoods(self) -> dict[Request, Answer]:
        """How likely the recorded model held right answers, by what asks for it."""
        return {
            scored_behind(row.request, row.right[0]): Answer("", "scored", loglikelihoods=(row.right[1],))
            for row in self
            if row.right is not None
        }

    def misfits(self, suite: str, cases: Sequence[Case]) -> list[str]:
        """What differs between the recording and `cases`, a line per difference; empty if it fits.

        Args:
            suite: the suite's name.
            cases: all cases of the suites of that name; two files in two folders may share one.
        """
        asked = [case for case in cases if case.skip is None]
        told = [f"{_place(case)}: {line}" for case in asked if (line := self._misfit(suite, case)) is not None]
        strange = {name for of, name in self._rows if of == suite} - {case.id for case in cases}
        return [
            *told,
            *(f"{name!r:.60} of suite '{suite}' is recorded, and is no case of it" for name in sorted(strange)),
        ]

    def _misfit(self, suite: str, case: Case) -> str | None:
        recorded = [row.request for row in self._rows.get((suite, case.id), ())]
        asked = list(self.requests(case))
        if recorded == asked:
            return None
        return f"'{case.id}' has no recorded answer" if not recorded else f"'{case.id}': {_difference(recorded, asked)}"


def _place(case: Case) -> str:
    return f"{case.file}:{case.line}"


def _difference(recorded: Sequence[Request], asked: Sequence[Request]) -> str:
    """The first thing in which two requests for one case differ."""
    if len(recorded) != len(asked):
        return f"{len(recorded)} samples recorded, {len(asked)} asked"
    had, now = next((had, now) for had, now in zip(recorded, asked, strict=True) if had != now)
    if had.continuations != now.continuations:
        what = "text" if now.text == "" else "choices"
        return f"{what} {_shown(had.continuations)} recorded, {_shown(now.continuations)} asked"
    if had.draw != now.draw:
        return f"{_drawn(had.draw)} recorded, {_drawn(now.draw)} asked"
    if had.max_new_tokens != now.max_new_tokens:
        return f"max_new_tokens {had.max_new_tokens} recorded, {now.max_new_tokens} asked"
    if had.think_tokens != now.think_tokens:
        return f"think_tokens {had.think_tokens} recorded, {now.think_tokens} asked"
    if had.stop != now.stop:
        return f"stop [{_shown(had.stop)}] recorded, [{_shown(now.stop)}] asked"
    return "prompt {} recorded, {} asked".format(*_apart(had.shown, now.shown))


def _apart(*texts: str) -> Iterator[str]:
    """Both texts, of long ones what stands about the place where they part."""
    parted = next((n for n, chars in enumerate(zip(*texts, strict=False)) if len(set(chars)) > 1), 0)
    start = max(0, parted - _LONGEST // 4) if max(map(len, texts)) > _LONGEST else 0
    return (("…" if start else "") + _shown([text[start:]]) for text in texts)


def _shown(texts: Sequence[str]) -> str:
    told = ", ".join(repr(each) for each in texts) or "none"
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}…"


def _drawn(draw: Draw | None) -> str:
    return "the likeliest answer" if draw is None else f"sample {draw.number} at temperature {draw.temperature:g}"
