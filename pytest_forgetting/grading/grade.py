"""One model's answer graded."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import regex

from pytest_forgetting.errors import SuiteError, WrongUsage
from pytest_forgetting.grading.checks import BUILT_IN, CheckResult, Said
from pytest_forgetting.grading.custom import custom_result
from pytest_forgetting.grading.matchers import match, wanted
from pytest_forgetting.grading.patterns import Undecidable
from pytest_forgetting.suites.cases import Case, Check


@dataclass(frozen=True, slots=True)
class Grade:
    """Whether an answer is right."""

    correct: bool
    why: str
    """What is wrong with it, in a short sentence; empty where it is right."""


def grade(case: Case, answer: Said) -> Grade:
    """Grade `answer`: by all checks of `case` if it has any, else by its accepted answers.

    What cannot be looked into (a pattern that runs away) is wrong, negated or not.

    Raises:
        SuiteError: the case cannot be judged as it is written (a bad pattern, a bad JSON Schema).
        WrongUsage: a check of the user's own is unknown, raises, or returns something else than True or False.
    """
    if case.checks:
        faults = [fault for check in case.checks if (fault := _judge(case, partial(_fault, check, answer)))]
        return Grade(not faults, "; ".join(faults))
    fault = _judge(case, partial(_mismatch, case, answer))
    return Grade(not fault, fault)


def fulfils(check: Check, answer: Said) -> bool:
    """Whether `answer` does what `check` asks; what cannot be looked into does not.

    Raises:
        SuiteError, WrongUsage, regex.error: as `grade`.
    """
    try:
        return _result(check, answer).holds is not check.negated
    except Undecidable:
        return False


def _judge(case: Case, look: Callable[[], str]) -> str:
    """What `look` finds wrong, with the case's place in whatever it raises."""
    try:
        return look()
    except Undecidable as undecided:
        return str(undecided)
    except (SuiteError, WrongUsage) as error:
        raise type(error)(f"{case.file}:{case.line}: {error}") from error
    except (regex.error, re.error) as error:
        raise SuiteError(f"{case.file}:{case.line}: not a regular expression: {error}") from error


def _mismatch(case: Case, answer: Said) -> str:
    rule = case.match or "word"
    right = any(match(rule, answer.text, accepted) for accepted in case.expected)
    return "" if right else wanted(rule, case.expected)


def _fault(check: Check, answer: Said) -> str:
    result = _result(check, answer)
    return "" if result.holds is not check.negated else f"{'not-' * check.negated}{check.type}: {result.seen}"


def _result(check: Check, answer: Said) -> CheckResult:
    built_in = BUILT_IN.get(check.type)
    return built_in(check.value, answer) if built_in else custom_result(check, answer)
