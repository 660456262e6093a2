"""From the answers of one side to one judgement."""

from fractions import Fraction

import pytest

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.evaluation.grading_sides import graded
from pytest_forgetting.suites.cases import Case, Prompt, Score

ASKED = Case("c", "general", Prompt("Capital of France?", (), samples=3, temperature=1.0), ("Paris",), match="word")
RIGHT, WRONG = Answer("Paris, I think.", "eos"), Answer("Rome", "length")
SILENT = Answer("", "unanswered", reason="NaN")


def test_one_answer_is_judged_whole() -> None:
    """No share: it is right or wrong."""
    one = graded(ASKED, [WRONG])
    assert (one.correct, one.share, one.right_share, one.answer) == (False, 0, None, "Rome")


@pytest.mark.parametrize(
    ("answers", "share", "correct"),
    [
        ([RIGHT, RIGHT, RIGHT], Fraction(1), True),
        ([RIGHT, WRONG, RIGHT], Fraction(2, 3), True),
        ([RIGHT, WRONG], Fraction(1, 2), False),  # a half is no majority
        ([WRONG, WRONG, RIGHT], Fraction(1, 3), False),
        ([WRONG, WRONG], Fraction(0), False),
        ([SILENT, RIGHT, SILENT], Fraction(1), True),  # what never came is no wrong answer
    ],
)
def test_drawn_answers_count_by_their_share(answers: list[Answer], share: Fraction, correct: bool) -> None:
    """The share of right ones among those that came; more than half make the case right."""
    one = graded(ASKED, answers)
    assert (one.share, one.right_share, one.correct) == (share, share, correct)


def test_the_answer_shown_is_one_of_those_that_decided() -> None:
    """A right one of a right case, a wrong one of a wrong case; why some are wrong is told of both."""
    kept, lost = graded(ASKED, [WRONG, SILENT, RIGHT, RIGHT]), graded(ASKED, [RIGHT, WRONG, SILENT])
    assert (kept.answer, lost.answer) == ("Paris, I think.", "Rome")
    assert kept.why.startswith("1 of 3 samples wrong: ")
    assert lost.why.startswith("1 of 2 samples wrong: ")
    assert graded(ASKED, [RIGHT, RIGHT]).why == ""


def test_no_answer_at_all_is_unanswered() -> None:
    """With its reason, and without a share."""
    one = graded(ASKED, [SILENT, SILENT])
    assert (one.answered, one.why, one.right_share) == (False, "NaN", None)


@pytest.mark.parametrize(("score", "picked"), [("acc", "no"), ("acc_norm", "a" * 20), ("acc_bytes", "€" * 10)])
def test_a_choice_is_judged_by_the_cases_measure(score: Score, picked: str) -> None:
    """What was held the likeliest is the answer; all log-likelihoods are kept."""
    choices = ("no", "€" * 10, "a" * 20)
    case = Case("c", "general", Prompt("q", (), continuations=choices), ("no",), right_choice=0, score=score)
    one = graded(case, [Answer("", "scored", loglikelihoods=(-5.0, -12.0, -18.0))])
    assert (one.answer, one.correct) == (picked, picked == "no")
    assert one.loglikelihoods == (-5.0, -12.0, -18.0)
    assert one.why == ("" if one.correct else f"held {picked!r} likelier than 'no'")


def test_a_text_is_measured_and_not_graded() -> None:
    """Its log-likelihood is all that there is."""
    case = Case("c", "general", Prompt("", (), continuations=("Once.",)), measured=True)
    one = graded(case, [Answer("", "scored", loglikelihoods=(-7.5,))])
    assert (one.answered, one.answer, one.loglikelihoods) == (True, "", (-7.5,))
    assert not graded(case, [SILENT]).answered
