"""For tests of suites: whether given answers would be right, and what is odd about suites. No model is asked.

from pytest_forgetting.testing import grade, lint, load_suite

suite = load_suite("suites/capitals.yaml")

def test_a_sentence_is_accepted():
    assert grade(case(suite, "capital-of-france"), "It is Paris.").correct

def test_nothing_is_odd():
    assert lint("suites/", training_data="train.jsonl") == []
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from os import PathLike
from typing import Any, get_args

from pytest_forgetting.answers.answer import Answer, Finish
from pytest_forgetting.comparison.lookup import the_one
from pytest_forgetting.errors import SuiteError, WrongUsage
from pytest_forgetting.grading.grade import Grade, fulfils
from pytest_forgetting.grading.grade import grade as _grade
from pytest_forgetting.grading.matchers import match
from pytest_forgetting.grading.patterns import Undecidable
from pytest_forgetting.grading.registry import registered_checks
from pytest_forgetting.grading.thoughts import CLOSE, OPEN, without_thoughts
from pytest_forgetting.linting.lint import Finding, lint
from pytest_forgetting.suites.cases import Case, Check, MatchRule, Suite
from pytest_forgetting.suites.checks import BadCheck, pattern, read_check
from pytest_forgetting.suites.loading import load_suite as _load_suite

__all__ = ["Case", "Finding", "Grade", "Suite", "SuiteCheck", "case", "check", "grade", "lint", "load_suite", "matches"]


def load_suite(path: str | PathLike[str], *, allow_python: bool = False) -> Suite:
    """Read a suite as a run would, with the checks that are registered by now.

    Args:
        path: a YAML suite or a ``.jsonl`` file of questions.
        allow_python: whether checks may name Python functions.

    Raises:
        SuiteError: a line for each finding, ``file:line:column: what was found; what was wanted``.
    """
    # Loading takes any path, and declares str and Path.
    return _load_suite(path, known_checks=registered_checks(), allow_python=allow_python)  # type: ignore[arg-type]


def case(suite: Suite, case_id: str) -> Case:
    """The case of `suite` with the id `case_id`.

    Raises:
        NotFound: there is none.
        WrongUsage: `suite` is something else.
    """
    _see("case", suite, Suite, "a Suite, as load_suite gives it")
    return the_one("case", case_id, {each.id: [each] for each in suite.cases})


def grade(case: Case, answer: str, *, finish: Finish = "eos") -> Grade:
    """Judge `answer` as a run judges what a model says: thoughts left out, then by the case's checks or answers.

    Args:
        case: of a suite of kind qa, checklist or choice; of a choice, `answer` is the text that was chosen.
        answer: what a model may say.
        finish: how it came to an end; "length" where it was cut off, which the check `finished` asks about.

    Raises:
        SuiteError, WrongUsage: the case cannot be judged; its own checks raise; `case` or `answer` is something else.
    """
    _see("grade", case, Case, "a case, as case(suite, id) gives it")
    _see("grade", answer, str, "an answer, a text")
    _see_finish("grade", finish)
    if case.measured:
        raise WrongUsage(f"{case.file}:{case.line}: a text is measured, and has no right answer")
    if answer.lstrip().startswith(OPEN) and CLOSE not in answer:
        return Grade(False, "its thoughts do not end; a run leaves such a case unanswered")
    if not case.choices:
        return _grade(case, Answer(without_thoughts(answer), finish))
    if answer not in case.choices:
        raise WrongUsage(f"{case.file}:{case.line}: found {answer!r:.60}; wanted one of {', '.join(case.choices)}")
    right = answer == case.choices[case.right_choice or 0]
    return Grade(right, "" if right else f"wanted {case.expected[0]}")


@dataclass(frozen=True)
class SuiteCheck:
    """A check as suites write it, to be tried on answers."""

    check: Check

    def holds(self, answer: str, *, finish: Finish = "eos") -> bool:
        """Whether `answer` does what the check asks; what cannot be looked into (a runaway pattern) does not.

        Raises:
            WrongUsage: a check of one's own raises; `answer` is no text.
        """
        _see("holds", answer, str, "an answer, a text")
        _see_finish("holds", finish)
        return fulfils(self.check, Answer(answer, finish))

    def __invert__(self) -> SuiteCheck:
        """Its ``not-`` twin."""
        return SuiteCheck(replace(self.check, negated=not self.check.negated))


def check(name: str, value: Any = None, *, threshold: int | None = None) -> SuiteCheck:
    """The check `name` with the value that a suite would give it: ``check("icontains", "Paris").holds("PARIS")``.

    Args:
        name: of a built-in check or of one registered by `pytest_forgetting.check`, with or without ``not-``.
        value: as in YAML.
        threshold: of ``levenshtein``.

    Raises:
        SuiteError: there is no such check, or it does not take this value.
    """
    given = {"type": name, "value": value} | ({} if threshold is None else {"threshold": threshold})
    try:
        return SuiteCheck(read_check(given, registered_checks(), allow_python=False))
    except BadCheck as error:
        raise SuiteError(f"check: {error}") from None


def matches(rule: MatchRule, accepted: str, answer: str) -> bool:
    """Whether `answer` is right by `rule` (``match:`` of a qa suite) where `accepted` is the accepted answer.

    Raises:
        SuiteError: `accepted` is no number (``number``) or no pattern (``regex``); there is no such rule.
        WrongUsage: `accepted` or `answer` is no text.
    """
    _see("matches", accepted, str, "an accepted answer, a text")
    _see("matches", answer, str, "an answer, a text")
    if rule not in ("word", "exact", "number", "contains", "regex"):
        raise SuiteError(f"matches: found the rule {rule!r}; wanted word, exact, number, contains or regex")
    try:
        return match(rule, answer, pattern(accepted) if rule == "regex" else accepted)
    except BadCheck as error:
        raise SuiteError(f"matches: {error}") from None
    except Undecidable:
        return False


def _see(call: str, given: object, kind: type, wanted: str) -> None:
    """See that `given` is what was wanted, so that no test passes by a slip.

    Raises:
        WrongUsage: it is not.
    """
    if not isinstance(given, kind):
        raise WrongUsage(f"{call}: found {given!r:.60} ({type(given).__name__}); wanted {wanted}")


def _see_finish(call: str, finish: str) -> None:
    if finish not in get_args(Finish):
        raise WrongUsage(f"{call}: found finish={finish!r:.60}; wanted {', '.join(get_args(Finish))}")
