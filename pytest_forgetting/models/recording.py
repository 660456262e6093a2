"""Answers in a file: what a model said once, to be compared with again. Plain JSON, an answer a line, made for git."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.requests import Draw, Request, requests_for
from pytest_forgetting.comparison.comparison import Participant
from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.reporting.files import replace_file
from pytest_forgetting.suites.cases import THINK_TOKENS, Case

VERSION = 1
T = TypeVar("T")
_SHOWN = 3
"""How many of the cases that do not fit are named in a message."""
_LONGEST = 200
"""Characters of choices or a text that a message shows."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One line of a recording."""

    suite: str
    id: str
    request: Request
    answer: Answer


class Recording:
    """A recording read back."""

    def __init__(
        self, ref: str, participant: Participant, chat_template: str | None, lines: Iterable[Recorded]
    ) -> None:
        """Index the answers by what was asked.

        Args:
            ref: the file as the user named it.
            participant: the model that was recorded.
            chat_template: the template's hash, None where plain text was asked.
            lines: the recorded answers.
        """
        self.ref = ref
        self.participant = participant
        self.chat_template = chat_template
        self._lines: dict[tuple[str, str], list[Recorded]] = {}
        for line in lines:
            self._lines.setdefault((line.suite, line.id), []).append(line)

    def requests(self, case: Case) -> tuple[Request, ...]:
        """How the recorded model would have been asked `case`."""
        return requests_for(case.prompt, chat=self.chat_template is not None)

    def recall(self, suite: str, case: Case) -> tuple[Answer, ...]:
        """The recorded answers; `misfits` has made sure that there are some."""
        return tuple(line.answer for line in self._lines[suite, case.id])

    def misfits(self, suite: str, cases: Sequence[Case]) -> list[str]:
        """What differs between the recording and `cases`, a line per kind of difference; empty if it fits.

        Args:
            suite: the suite's name.
            cases: all cases of the suites of that name; two files in two folders may share one.
        """
        asked = [case for case in cases if case.skip is None]
        known = {case: [line.request for line in lines] for (name, case), lines in self._lines.items() if name == suite}
        missing = [f"'{case.id}'" for case in asked if case.id not in known]
        surplus = [f"'{case}'" for case in known.keys() - {case.id for case in cases}]
        changed = [
            f"'{case.id}' ({_difference(known[case.id], self.requests(case))})"
            for case in asked
            if case.id in known and known[case.id] != list(self.requests(case))
        ]
        where = f"{self.ref}: suite '{suite}'"
        return [
            *_misfit(where, "cases have no recorded answer", missing),
            *_misfit(where, "recorded answers belong to no case", sorted(surplus)),
            *_misfit(where, "cases were asked otherwise", changed),
        ]


def _misfit(where: str, what: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    return [f"{where}: {len(names)} {what}: {shown}"]


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
        return f"stop {list(had.stop)} recorded, {list(now.stop)} asked"
    return f"prompt {had.shown!r} recorded, {now.shown!r} asked"


def _shown(continuations: Sequence[str]) -> str:
    told = ", ".join(repr(each) for each in continuations) or "none"
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}…"


def _drawn(draw: Draw | None) -> str:
    return "the likeliest answer" if draw is None else f"sample {draw.number} at temperature {draw.temperature:g}"


def read(ref: str) -> Recording:
    """Read the recording `ref`.

    Raises:
        WrongUsage: there is no such file, or it is no recording of a version known here.
    """
    try:
        data = json.loads(Path(ref).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WrongUsage(f"{ref}: no such recording") from None
    except (OSError, ValueError, RecursionError) as error:
        raise WrongUsage(f"{ref}: cannot be read as a recording: {error}") from None
    if not isinstance(data, dict) or data.get("recording") != VERSION:
        raise WrongUsage(f"{ref}: is no recording: it has no 'recording: {VERSION}', as --forgetting-record writes it")
    try:
        model = dict(data["model"])
        template = model.pop("chat_template")
        return Recording(ref, Participant(**model), template, [_from_json(line) for line in data["answers"]])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WrongUsage(f"{ref}: is a damaged recording: {type(error).__name__} {error}") from None


def write(
    path: Path,
    participant: Participant,
    chat_template: str | None,
    versions: dict[str, str],
    lines: Iterable[Recorded],
) -> None:
    """Write a recording, whole or not at all; equal answers give equal bytes.

    Args:
        path: the file; folders are made.
        participant: the model that answered.
        chat_template: hash of its template, None for plain text.
        versions: of the libraries that computed the answers, for the reader.
        lines: the answers, in the order of the suites.
    """
    head = {"recording": VERSION, "model": {**vars(participant), "chat_template": chat_template}, "versions": versions}
    rows = ",\n".join(json.dumps(_to_json(line), sort_keys=True, ensure_ascii=True) for line in lines)
    body = json.dumps(head, sort_keys=True, indent=1, ensure_ascii=True)[:-2]
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, f'{body},\n "answers": [\n{rows}\n]}}\n')


def _to_json(line: Recorded) -> dict[str, Any]:
    request, answer = line.request, line.answer
    prompt: Any = request.text if request.text is not None else [list(turn) for turn in request.messages]
    row = {"suite": line.suite, "id": line.id, "prompt": prompt, "finish": answer.finish}
    row |= {"reason": answer.reason} if answer.reason else {}
    if request.continuations:
        return row | {"continuations": list(request.continuations), "loglikelihoods": list(answer.loglikelihoods)}
    drawn = {} if request.draw is None else {"draw": asdict(request.draw)}
    asked = {"stop": list(request.stop), "max_new_tokens": request.max_new_tokens}
    thoughts = {} if request.think_tokens == THINK_TOKENS else {"think_tokens": request.think_tokens}
    return row | asked | thoughts | drawn | {"answer": answer.text}


def _from_json(row: dict[str, Any]) -> Recorded:
    prompt = row["prompt"]
    text = sys.intern(prompt) if isinstance(prompt, str) else None  # two recordings have the same prompts
    turns = () if text is not None else tuple((role, content) for role, content in prompt)
    scores = tuple(float(score) for score in row.get("loglikelihoods", ()))
    if "continuations" in row:
        request = Request(text, turns, continuations=tuple(row["continuations"]))
    else:
        draw = Draw(**row["draw"]) if "draw" in row else None
        thoughts = row.get("think_tokens", THINK_TOKENS)
        request = Request(text, turns, _shared(tuple(row["stop"])), row["max_new_tokens"], draw, think_tokens=thoughts)
    wanted = 0 if row["finish"] == "unanswered" else len(request.continuations)
    if len(scores) != wanted or not all(map(isfinite, scores)):
        raise ValueError(f"'{row['id']}': found loglikelihoods {list(scores)}; wanted {wanted} numbers")
    answer = Answer(row.get("answer", ""), _shared(row["finish"]), reason=row.get("reason"), loglikelihoods=scores)
    return Recorded(_shared(row["suite"]), row["id"], request, answer)


@lru_cache(maxsize=1024)
def _shared(value: T) -> T:
    """The same object for the same value: most lines of a recording have these in common."""
    return value
