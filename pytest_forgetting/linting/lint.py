"""All findings about suites, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.api.given_suites import Suites, read_suites
from pytest_forgetting.grading.grade import grade
from pytest_forgetting.grading.matchers import match
from pytest_forgetting.linting.duplicates import Duplicate, duplicates
from pytest_forgetting.linting.leaks import Leak, leaks
from pytest_forgetting.linting.training_rows import TrainingData, training_rows
from pytest_forgetting.linting.words import asked
from pytest_forgetting.settings import Settings
from pytest_forgetting.suite_loader import SuiteLoader
from pytest_forgetting.suites.cases import Case

FindingKind = Literal["leak", "duplicate", "echo"]
_SHOWN = 80
"""Characters of a run of words in a message."""


@dataclass(frozen=True)
class Finding:
    """Something odd about a case."""

    file: str
    line: int
    kind: FindingKind
    """leak: it stands in the training data; duplicate: another case asks the same; echo: the question is an answer."""
    case_id: str
    detail: str

    def __str__(self) -> str:
        """One line: ``file:line: kind: what it is``."""
        return f"{self.file}:{self.line}: {self.kind}: {self.detail}"


def lint(suites: Suites, training_data: TrainingData = (), *, allow_python: bool = False) -> list[Finding]:
    """What is odd about suites, by file and line: leaks into training data, duplicates, questions that are answers.

    No model is loaded.

    Args:
        suites: files, folders, `Suite` values or lists of cases, as `compare` takes them.
        training_data: what the model under test is tuned on: .jsonl, .csv, .parquet or .txt files, folders, or rows.
        allow_python: whether checks may name Python functions; they are run on the questions.

    Raises:
        SuiteError: a suite cannot be read.
        WrongUsage: a path names nothing.
    """
    read = read_suites(suites, SuiteLoader(Settings(model="", allow_python=allow_python)), [Path()])
    asked_of = [[case for case in suite.cases if case.skip is None] for suite in read]
    cases = [case for suite in asked_of for case in suite]
    found = [*map(_leak, leaks(cases, training_rows(training_data))), *map(_duplicate, duplicates(asked_of))]
    found += list(_echoes(cases))
    order = {suite.nodeid: n for n, suite in enumerate(read)}
    return sorted(found, key=lambda each: (order.get(each.file, len(order)), each.file, each.line, each.kind))


def _leak(leak: Leak) -> Finding:
    told = "the whole prompt stands" if leak.whole else f"{len(leak.run.split())} words in a row stand"
    run = leak.run if len(leak.run) <= _SHOWN else f"{leak.run[:_SHOWN]}…"
    answered = " with an accepted answer" if leak.with_answer else ""
    more = f", and in {leak.more} more row{'s' * (leak.more > 1)}" if leak.more else ""
    return _finding(leak.case, "leak", f"{told} in {leak.place}{answered}{more}: {run}")


def _duplicate(found: Duplicate) -> Finding:
    first = f"{found.first.file}:{found.first.line} ({found.first.id})"
    told = f"asks the same as {first}" if found.same else f"asks nearly the same as {first}"
    return _finding(found.case, "duplicate", told + (", with other answers" if found.contradicts else ""))


def _echoes(cases: Sequence[Case]) -> Iterator[Finding]:
    """Cases whose own question would be graded right: a model that repeats it has not shown that it knows anything."""
    for case in cases:
        if _asks_for_something(case) and grade(case, Answer(asked(case), "eos")).correct:
            yield _finding(case, "echo", f"an answer that only repeats the question {_why_right(case)}")


def _why_right(case: Case) -> str:
    if case.checks:
        return "passes all checks"
    question = asked(case)
    held = next(each for each in case.expected if match(case.match or "word", question, each))
    return f"is right by match: {case.match}, as {held!r:.60} is in it"


def _asks_for_something(case: Case) -> bool:
    """Whether anything must be in a right answer: where all checks say what must not, any other text will do."""
    if case.choices or case.measured:
        return False
    return bool(case.expected) or not all(check.negated for check in case.checks)


def _finding(case: Case, kind: FindingKind, detail: str) -> Finding:
    return Finding(case.file, case.line, kind, case.id, detail)
