"""Answers in a file: what a model said once, to be compared with again. Plain JSON, an answer a line, made for git."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.requests import Request, request_for
from pytest_forgetting.comparison.comparison import Participant
from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.reporting.files import replace_file
from pytest_forgetting.suites.cases import Case

VERSION = 1
_SHOWN = 3
"""How many of the cases that do not fit are named in a message."""


@dataclass(frozen=True)
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
        self._lines = {(line.suite, line.id): line for line in lines}

    def request(self, case: Case) -> Request:
        """How the recorded model would have been asked `case`."""
        return request_for(case.prompt, chat=self.chat_template is not None)

    def recall(self, suite: str, case: Case) -> Answer:
        """The recorded answer; `misfits` has made sure that there is one."""
        return self._lines[suite, case.id].answer

    def misfits(self, suite: str, cases: Sequence[Case]) -> list[str]:
        """What differs between the recording and `cases`, a line per kind of difference; empty if it fits.

        Args:
            suite: the suite's name.
            cases: all cases of the suites of that name; two files in two folders may share one.
        """
        asked = [case for case in cases if case.skip is None]
        known = {case: line for (name, case), line in self._lines.items() if name == suite}
        missing = [f"'{case.id}'" for case in asked if case.id not in known]
        surplus = [f"'{case}'" for case in known.keys() - {case.id for case in cases}]
        changed = [
            f"'{case.id}' ({_difference(known[case.id].request, self.request(case))})"
            for case in asked
            if case.id in known and known[case.id].request != self.request(case)
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


def _difference(recorded: Request, asked: Request) -> str:
    if recorded.max_new_tokens != asked.max_new_tokens:
        return f"max_new_tokens {recorded.max_new_tokens} recorded, {asked.max_new_tokens} asked"
    if recorded.stop != asked.stop:
        return f"stop {list(recorded.stop)} recorded, {list(asked.stop)} asked"
    return f"prompt {recorded.shown!r} recorded, {asked.shown!r} asked"


def read(ref: str) -> Recording:
    """Read the recording `ref`.

    Raises:
        WrongUsage: there is no such file, or it is no recording of a version known here.
    """
    try:
        data = json.loads(Path(ref).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WrongUsage(f"{ref}: no such recording") from None
    except (OSError, ValueError) as error:
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
    told = {"answer": answer.text, "finish": answer.finish} | ({"reason": answer.reason} if answer.reason else {})
    asked = {"prompt": prompt, "stop": list(request.stop), "max_new_tokens": request.max_new_tokens}
    return {"suite": line.suite, "id": line.id, **asked, **told}


def _from_json(row: dict[str, Any]) -> Recorded:
    prompt = row["prompt"]
    text = prompt if isinstance(prompt, str) else None
    turns = () if text is not None else tuple((role, content) for role, content in prompt)
    request = Request(text, turns, tuple(row["stop"]), row["max_new_tokens"])
    return Recorded(row["suite"], row["id"], request, Answer(row["answer"], row["finish"], reason=row.get("reason")))
