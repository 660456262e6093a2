"""From the answers that one side gave to a case to one `Graded`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from pytest_forgetting.comparison.outcomes import Graded
from pytest_forgetting.grading.choices import margin, pick
from pytest_forgetting.grading.grade import grade
from pytest_forgetting.grading.thoughts import without_thoughts

if TYPE_CHECKING:
    from pytest_forgetting.answers.answer import Answer
    from pytest_forgetting.suites.cases import Case


def graded(case: Case, answers: Sequence[Answer], *, keep_thoughts: bool = False) -> Graded:
    """Grade what one side said to `case`: its one answer, or all that were drawn.

    Drawn answers count by their share of right ones, those that never came left out; more than half of them must be
    right for the case to be called right. The one shown is the first of those that decided, so that reports of what
    was had and is said now show a right one of a right case and a wrong one of a wrong case.

    Args:
        case: what was asked.
        answers: one, or those that were drawn.
        keep_thoughts: grade what stands between ``<think>`` and ``</think>`` too.
    """
    each = [_one(case, answer, keep_thoughts=keep_thoughts) for answer in answers]
    given = [one for one in each if one.answered]
    if len(each) == 1 or not given:
        return each[0]
    right = sum(one.correct for one in given)
    correct = 2 * right > len(given)
    shown = next(one for one in given if one.correct is correct)
    wrong = next((one.why for one in given if not one.correct), "")
    why = f"{len(given) - right} of {len(given)} samples wrong: {wrong}" if right < len(given) else ""
    return Graded(shown.answer, shown.finish, correct, why, right_share=Fraction(right, len(given)))


def _one(case: Case, answer: Answer, *, keep_thoughts: bool) -> Graded:
    if answer.finish == "unanswered":
        return Graded(answer.text, answer.finish, False, answer.reason or "no answer")
    if case.measured:
        return Graded("", answer.finish, False, loglikelihoods=answer.loglikelihoods)
    if case.choices:
        return _chosen(case, answer)
    said = answer if keep_thoughts else replace(answer, text=without_thoughts(answer.text))
    found = grade(case, said)
    return Graded(answer.text, answer.finish, found.correct, found.why, gap=answer.gap)


def _chosen(case: Case, answer: Answer) -> Graded:
    choice = pick(case.score, case.choices, answer.loglikelihoods)
    right = choice == case.right_choice
    why = "" if right else f"held {case.choices[choice]!r} likelier than {case.expected[0]!r}"
    lead = margin(case.score, case.choices, answer.loglikelihoods)
    return Graded(case.choices[choice], answer.finish, right, why, answer.loglikelihoods, gap=lead)
