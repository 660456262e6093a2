"""Cases that were lost in ways of their own, and suites of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pytest_forgetting.comparison.judge import Judge
from pytest_forgetting.comparison.outcomes import CaseResult, Graded, RightAnswer
from pytest_forgetting.comparison.scopes import SuiteResult
from pytest_forgetting.suites.cases import Case, Check, Prompt, Role, Suite

PROMPT = Prompt("Capital of France?", ())
RIGHT = Graded("Paris", "eos", True)


def question(category: str = "geography") -> Case:
    """A qa case."""
    return Case("fr", category, PROMPT, ("Paris",), "word", title=PROMPT.text, file="s.yaml", line=7)


def checklist(*checks: Check) -> Case:
    """A checklist case."""
    return Case("c", "general", PROMPT, checks=checks)


def forgotten(
    text: str,
    finish: str = "eos",
    *,
    case: Case | None = None,
    had: Graded = RIGHT,
    right: tuple[float, float] | None = None,
) -> CaseResult:
    """A case that was right and is wrong; `right`: log-likelihoods of the right answer, before and now."""
    known = None if right is None else RightAnswer("Paris", *right)
    return CaseResult(case or question(), "q", had, Graded(text, finish, False), right=known)


def retained(category: str = "geography") -> CaseResult:
    """A case that is right still."""
    return CaseResult(question(category), "q", RIGHT, RIGHT)


def learned(category: str = "geography") -> CaseResult:
    """A case that was wrong and is right."""
    return CaseResult(question(category), "q", Graded("Rome", "eos", False), RIGHT)


def in_category(result: CaseResult, category: str) -> CaseResult:
    """The same in another category."""
    return replace(result, case=replace(result.case, category=category))


def suite_of(results: Sequence[CaseResult], role: Role = "general", name: str = "Capitals") -> SuiteResult:
    """A judged suite of these results."""
    suite = Suite(Path("s.yaml"), name, "qa", tuple(result.case for result in results), role, nodeid="s.yaml")
    return Judge().suite(suite, results)
