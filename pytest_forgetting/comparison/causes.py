"""Why a case was lost: what can be told from both answers, and from how likely the right one still is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log
from typing import Literal, get_args

from pytest_forgetting.comparison.outcomes import CaseResult, Graded, RightAnswer
from pytest_forgetting.grading.form import right_in_other_form
from pytest_forgetting.grading.loops import loops
from pytest_forgetting.grading.normalisation import normalise
from pytest_forgetting.grading.refusals import is_refusal
from pytest_forgetting.grading.thoughts import without_thoughts
from pytest_forgetting.suites.cases import Case

Cause = Literal["numeric noise", "empty", "repetition", "refusal", "unfinished", "format", "knowledge"]
CAUSES: tuple[Cause, ...] = get_args(Cause)
"""In the order in which they are looked for."""


LEAST = log(0.01)
"""Log-likelihood of an accepted answer under the baseline, in nats: where it holds the bare answer less likely, it says
it later in a sentence, and two models that would both not say it here agree about nothing."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A graded answer as checks look at it: without the thoughts before it."""

    text: str
    finish: str


def cause_of(result: CaseResult) -> Cause | None:
    """Why `result` is forgotten, or that asking again changed it; None for all other cases.

    The first of `CAUSES` that applies. A fault that the baseline's answer has too explains nothing. What is left is
    ``format`` where the right answer is in the text under a more lenient reading, or is still held at least half as
    likely as before (spurious forgetting: Zheng and others 2025, arXiv:2501.13453); else it is ``knowledge``. The
    likelihood speaks for a model only: one that has learned to answer in another way holds the bare answer less likely,
    and may know it still.

    A choice case is always ``knowledge``: nothing is said that could have the wrong form. Where the right choice is as
    likely as before and another rose above it, the model holds something false likelier than what is true, and which
    of them is the likelier is the very thing that the case asks.

    Of answers that were drawn, the one shown is looked at, which is a wrong one.
    """
    if result.first is not None and result.first != result.outcome:
        return "numeric noise"
    if result.outcome != "forgotten":
        return None
    if result.case.choices:
        return "knowledge"
    had, has = _reply(result.baseline), _reply(result.model)
    for cause, has_fault in _FAULTS.items():
        if has_fault(has) and not has_fault(had):
            return cause
    return "format" if _still_held(result) or right_in_other_form(result.case, has) else "knowledge"


def _still_held(result: CaseResult) -> bool:
    """Whether the right answer is as likely as before, in a place where the baseline would say it.

    A checklist case is asked about the baseline's own answer, which it does say there.
    """
    right = result.right
    return right is not None and right.kept and (bool(result.case.checks) or right.baseline >= LEAST)


def evidence_of(result: CaseResult) -> RightAnswer | None:
    """How likely both models hold the right answer; None where that is not known."""
    right, case = result.right, result.case
    if right is None and case.right_choice is not None and result.outcome != "unanswered":
        had, has = (side.loglikelihoods[case.right_choice] for side in (result.baseline, result.model))
        return RightAnswer(case.choices[case.right_choice], had, has)
    return right


def wrong_form(case: Case, graded: Graded) -> bool:
    """Whether an answer is wrong by a fault of form: empty, in a loop, not ended, or right in another form."""
    if graded.correct:
        return False
    reply = _reply(graded)
    faulty = any(_FAULTS[cause](reply) for cause in ("empty", "repetition", "unfinished"))
    return faulty or right_in_other_form(case, reply)


def _reply(graded: Graded) -> Reply:
    return Reply(without_thoughts(graded.answer), graded.finish)


_FAULTS: dict[Cause, Callable[[Reply], bool]] = {
    "empty": lambda reply: not normalise(reply.text),
    "repetition": lambda reply: loops(reply.text),
    "refusal": lambda reply: is_refusal(reply.text),
    "unfinished": lambda reply: reply.finish == "length",
}
