"""From the keys of a case to a `Case`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from pytest_forgetting.errors import escaped
from pytest_forgetting.suites.cases import Case, DatasetRead, Message, Prompt
from pytest_forgetting.suites.checks import BadCheck, pattern, read_check
from pytest_forgetting.suites.findings import is_unknown_key, told
from pytest_forgetting.suites.prompts import Prompting
from pytest_forgetting.suites.schema import ANSWERING, ASKED, NEEDED, SPELLINGS, CaseKeys, SuiteKeys

RESERVED = "gate"
_NUMBER = re.compile(r"\s*[-+]?(\d[\d,]*(\.\d+)?|\.\d+|\d+,\d+)\s*%?\s*")
"""An answer that `match: number` can hold others against."""


class Fault(Exception):
    """A finding within a case; `path` leads to it from the case on."""

    def __init__(
        self, told: str, path: Sequence[str | int] = (), *, key: bool = False, line: int = 1, column: int | None = None
    ) -> None:
        """Tell it, and where."""
        super().__init__(escaped(told))
        self.path = path
        self.key = key
        self.place = f"{line}" if column is None else f"{line}:{column}"
        """In a source."""
        self.others: Sequence[Fault] = ()
        """Further findings in the same case."""


class CaseBuilder:
    """Collects the cases of one suite, and what is wrong with them."""

    def __init__(self, known_checks: Collection[str], allow_python: bool) -> None:
        """Remember what checks may be named."""
        self._known_checks = known_checks
        self._allow_python = allow_python
        self.cases: list[Case] = []
        self.findings: list[str] = []
        self.datasets: list[DatasetRead] = []
        self._places: dict[str, str] = {}
        self._derived: dict[str, int] = {}

    def start(self, suite: SuiteKeys, prompting: Prompting) -> None:
        """Take the suite's own settings."""
        self._suite = suite
        self._prompting = prompting

    def passes_over(self, row: Mapping[str, Any]) -> bool:
        """Whether a row of a source is an empty one among texts, as corpora have them between paragraphs."""
        text = row.get("text")
        return self._suite.forgetting == "text" and isinstance(text, str) and not text.strip()

    def add(self, row: Any, file: str, line: int) -> None:
        """Check a case and append it.

        Raises:
            Fault: it is no case of this suite; its path has the keys as they are spelled in `row`.
        """
        try:
            self._add(row, file, line)
        except Fault as fault:
            for each in (fault, *fault.others):
                each.path = [*_as_spelled(row, each.path[:1]), *each.path[1:]]
            raise

    def _add(self, row: Any, file: str, line: int) -> None:
        keys = self._keys(row)
        self._check_kind(keys)
        prompt = self._prompt(keys)
        title = keys.test or keys.question or keys.prompt or keys.text or prompt.messages[-1].content
        right_choice = self._right_choice(keys, row)
        case = Case(
            id=self._id(keys, prompt, f"{file}:{line}"),
            category=self._category(keys),
            prompt=prompt,
            expected=tuple(keys.correct_answer or ()) if keys.choices is None else (keys.choices[right_choice or 0],),
            right_choice=right_choice,
            score=self._suite.score,
            measured=keys.text is not None,
            match=(keys.match or self._suite.match) if self._suite.forgetting == "qa" else None,
            checks=self._checks(keys),
            title=title,
            severity=(keys.severity or self._suite.severity) if self._suite.forgetting == "checklist" else None,
            require_pass=keys.require == "pass",
            tags=keys.tags,
            skip=keys.skip,
            cluster=keys.cluster,
            file=file,
            line=line,
        )
        self._check_expected(case)
        self.cases.append(case)

    def _keys(self, row: Any) -> CaseKeys:
        if not isinstance(row, dict):
            raise Fault(f"found {row!r:.60}; wanted a case with its keys")
        renamed: dict[Any, Any] = {}
        spelled: dict[Any, Any] = {}
        for name, value in row.items():
            plain = SPELLINGS.get(name, name)
            if (other := spelled.setdefault(plain, name)) != name:
                raise Fault(f"'{name}' is another spelling of '{other}', which is given too", [name], key=True)
            renamed[plain] = value
        try:
            return CaseKeys.model_validate(renamed)
        except ValidationError as error:
            raise _all_of([_fault(dict(finding), row) for finding in error.errors()]) from None

    def _check_kind(self, keys: CaseKeys) -> None:
        kind = self._suite.forgetting
        odd = [name for name, kinds in ANSWERING.items() if kind not in kinds and getattr(keys, name) is not None]
        if odd:
            raise Fault(f"'{odd[0]}' has no meaning in a {kind} suite", [odd[0]], key=True)
        lacking = [name for name in NEEDED[kind] if getattr(keys, name) is None]
        if lacking == ["correct_answer"]:
            raise Fault("no answer; wanted 'answer' or 'correct_answer'")
        if lacking:
            raise Fault(f"no '{lacking[0]}'; a {kind} case needs it")

    def _prompt(self, keys: CaseKeys) -> Prompt:
        if keys.text is not None:
            return Prompt("", (), continuations=(keys.text,))
        if keys.choices is not None:
            return self._prompting.choosing(self._asked(keys), keys.choices)
        return self._asked(keys)

    def _right_choice(self, keys: CaseKeys, row: Any) -> int | None:
        """Which choice is right: a whole number counts from 0, a text is one of them (or, from CSV, such a number).

        Where choices have labels, it is one of these and nothing else: labels may be numbers that do not begin at 0.
        """
        if keys.choices is None:
            return None
        _see_different("choices", keys.choices)
        if keys.labels is not None:
            return _labelled(keys.correct_answer or (), keys.labels, keys.choices)
        try:
            return number_of(row, keys.choices)
        except ValueError as error:
            raise Fault(f"correct_answer: {error}", ["correct_answer"]) from None

    def _asked(self, keys: CaseKeys) -> Prompt:
        given = [name for name in ASKED if getattr(keys, name) is not None]
        if len(given) != 1:
            raise Fault(f"found {' and '.join(given) or 'none of them'}; wanted one of question, prompt, messages")
        if keys.question is not None:
            return self._prompting.question(keys.question)
        if keys.prompt is not None:
            return self._prompting.verbatim(keys.prompt)
        return self._prompting.conversation([Message(turn.role, turn.content) for turn in keys.messages or ()])

    def _id(self, keys: CaseKeys, prompt: Prompt, place: str) -> str:
        if keys.id is not None:
            if keys.id == RESERVED or keys.id != keys.id.strip():
                raise Fault(f"id '{keys.id}': 'gate' is reserved, and blanks may not stand at the ends", ["id"])
            if keys.id in self._places:
                raise Fault(f"id '{keys.id}' given twice (first at {self._places[keys.id]})", ["id"])
            self._places[keys.id] = place
            return keys.id
        derived = _slug(prompt)
        self._derived[derived] = number = self._derived.get(derived, 0) + 1
        return derived if number == 1 else f"{derived}-{number}"

    def _category(self, keys: CaseKeys) -> str:
        if keys.category == RESERVED or keys.category != keys.category.strip():
            raise Fault(f"category '{keys.category}': 'gate' is reserved, no blanks at the ends", ["category"])
        return keys.category

    def _checks(self, keys: CaseKeys) -> tuple[Any, ...]:
        checks, faults = [], []
        for n, entry in enumerate(keys.checks or ()):
            try:
                checks.append(read_check(entry, self._known_checks, self._allow_python))
            except BadCheck as error:
                faults.append(Fault(f"checks: {error}", ["checks", n]))
        if faults:
            raise _all_of(faults)
        return tuple(checks)

    def _check_expected(self, case: Case) -> None:
        for text in case.expected:
            if case.match == "regex":
                try:
                    pattern(text)
                except BadCheck as error:
                    raise Fault(str(error), ["correct_answer"]) from None
            if case.match == "number" and not _NUMBER.fullmatch(text):
                raise Fault(f"'match: number' with the answer {text!r}; wanted a number", ["correct_answer"])


def _fault(finding: Mapping[str, Any], row: dict[Any, Any]) -> Fault:
    given = {SPELLINGS.get(name, name): name for name in row}
    name = given.get(finding["loc"][0], finding["loc"][0])
    alone = name in row and not isinstance(row[name], list | dict)  # a value that stands for a list of one
    path = [name] if alone else [name, *finding["loc"][1:]]
    return Fault(told(finding, path, CaseKeys), path, key=is_unknown_key(finding))


def _all_of(faults: Sequence[Fault]) -> Fault:
    """The first, with the others on it."""
    faults[0].others = faults[1:]
    return faults[0]


def _see_different(key: str, values: Sequence[str]) -> None:
    if len(set(values)) < len(values):
        twice = next(each for each in values if values.count(each) > 1)
        raise Fault(f"{key}: {twice!r} stands there twice", [key])


def _labelled(answers: Sequence[str], labels: Sequence[str], choices: Sequence[str]) -> int:
    """The number, from 0, of the choice whose label is the only one of `answers`."""
    _see_different("labels", labels)
    if len(labels) != len(choices):
        raise Fault(f"labels: found {len(labels)}; wanted as many as there are choices, {len(choices)}", ["labels"])
    if len(answers) != 1:
        raise Fault("correct_answer: found a list; wanted one of the labels", ["correct_answer"])
    if answers[0] not in labels:
        wanted = f"wanted one of the labels: {', '.join(labels):.80}"
        raise Fault(f"correct_answer: found {answers[0]!r:.60}; {wanted}", ["correct_answer"])
    return labels.index(answers[0])


def number_of(row: Mapping[Any, Any], choices: Sequence[str]) -> int:
    """The number, from 0, of the right one of `choices`, given in `row` as such a number or as the choice's text.

    Raises:
        ValueError: it is neither, or it is both and each means another choice.
    """
    given = next(value for name, value in row.items() if SPELLINGS.get(name, name) == "correct_answer")
    if isinstance(given, list):
        raise ValueError("found a list; wanted one of the choices, or its number")
    text = choices.index(str(given)) if str(given) in choices else None
    if text is not None and not isinstance(given, int):
        return text
    number = int(given) if isinstance(given, int) or (isinstance(given, str) and given.isdecimal()) else -1
    if not 0 <= number < len(choices):
        if text is not None:
            return text
        told = f"found {given!r:.60}; wanted one of the choices, or its number from 0 to {len(choices) - 1}"
        letter = isinstance(given, str) and len(given) == 1 and given.isalpha()
        raise ValueError(f"{told}; where letters stand for choices, 'labels' names them" if letter else told)
    # Benchmarks number choices such as "4" and "7" that are texts. Where both stand without quotes nobody can tell.
    if text not in (None, number) and given in row["choices"]:
        raise ValueError(
            f"found {given}, which is choice {text} and the number of choice {number};"
            f" wanted '{given}' in quotes for the one, '{choices[number]}' for the other"
        )
    return number


def _as_spelled(row: Any, path: Sequence[str | int]) -> Sequence[str | int]:
    """The key of a finding as the user wrote it, which may be another spelling of ours."""
    if not path or not isinstance(row, dict) or path[0] in row:
        return path
    return [name for name in row if SPELLINGS.get(name) == path[0]] or path


def _slug(prompt: Prompt) -> str:
    """A readable start of the question, and a hash of all of it."""
    content = repr((prompt.text, [(turn.role, turn.content) for turn in prompt.messages], *prompt.continuations))
    asked = prompt.messages[-1].content if prompt.messages else prompt.text or prompt.continuations[0]
    words = re.sub(r"[^a-z0-9]+", "-", asked.lower()).strip("-")[:40].strip("-")
    digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{words}-{digest}" if words else digest
