"""Why a case was lost."""

from dataclasses import replace
from fractions import Fraction
from math import inf, log, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.comparison.causes import CAUSES, cause_of, evidence_of, wrong_form
from pytest_forgetting.comparison.outcomes import CaseResult, Graded, Outcome, RightAnswer
from pytest_forgetting.suites.cases import Case, Check, Prompt
from tests.comparison.lost import RIGHT, checklist, forgotten, learned, question, retained

LOOP = "The ball was red. The ball was red. The ball was red."


@pytest.mark.parametrize(
    ("cause", "result"),
    [
        ("empty", forgotten(" \u200b\n")),
        ("repetition", forgotten(LOOP, "length")),
        ("refusal", forgotten("I'm sorry, but I can't help with that.")),
        ("unfinished", forgotten("Paracetamol is an NSAID that", "length")),
        ("format", forgotten("Par\u00eds")),
        ("format", forgotten("It lies on the Seine", right=(-2.1, -2.3))),
        ("knowledge", forgotten("Rome", right=(-2.1, -7.9))),
        ("knowledge", forgotten("Rome")),
    ],
)
def test_each_cause_is_told(cause: str, result: CaseResult) -> None:
    """By what the model said, how it ended, and how likely the right answer still is."""
    assert cause_of(result) == cause


@pytest.mark.parametrize("result", [retained(), learned(), replace(retained(), first="retained")])
def test_what_was_neither_lost_nor_changed_has_no_cause(result: CaseResult) -> None:
    """Nothing is to be explained."""
    assert cause_of(result) is None


@pytest.mark.parametrize(("first", "cause"), [("forgotten", "numeric noise"), ("learned", "numeric noise")])
def test_a_case_that_asking_again_changed_is_numeric_noise(first: Outcome, cause: str) -> None:
    """It no longer counts as it was first told."""
    assert cause_of(replace(retained(), first=first)) == cause


def test_a_confirmed_loss_keeps_its_cause() -> None:
    """Asked again and forgotten again: that is no noise."""
    assert cause_of(replace(forgotten("Rome"), first="forgotten")) == "knowledge"


@pytest.mark.parametrize(("text", "finish"), [(LOOP, "eos"), ("I can't help with that.", "eos"), ("Rome", "length")])
def test_a_fault_of_the_baselines_explains_nothing(text: str, finish: str) -> None:
    """A baseline that looped, declined or never stopped was right all the same."""
    had = Graded(text, finish, True)
    assert cause_of(forgotten(text, finish, had=had)) == "knowledge"


def test_thoughts_are_no_part_of_the_answer() -> None:
    """A model that thinks of Paris and says nothing has said nothing; one that thinks in circles may say Rome."""
    assert cause_of(forgotten("<think>Paris it is.</think>\n")) == "empty"
    assert cause_of(forgotten(f"<think>{LOOP}</think>Rome")) == "knowledge"


@pytest.mark.parametrize(
    ("before", "now", "kept"),
    [
        (-2.0, -2.0 - log(2), True),
        (-2.0, -2.0 - log(2) - 1e-6, False),
        (-2.0, -0.1, True),
        (-inf, -inf, False),
        (-2.0, -inf, False),
        (-2.0, nan, False),
        (nan, -2.0, False),
    ],
)
def test_a_right_answer_is_kept_down_to_half_its_likelihood(before: float, now: float, kept: bool) -> None:
    """Exactly half counts; what was impossible or is no number never does."""
    assert RightAnswer("Paris", before, now).kept is kept
    assert cause_of(forgotten("Rome", right=(before, now))) == ("format" if kept else "knowledge")


def test_what_the_baseline_would_not_say_there_either_is_no_evidence() -> None:
    """A bare answer that both hold for next to impossible says nothing; the baseline's own long answer does."""
    assert cause_of(forgotten("Rome", right=(-14.5, -14.0))) == "knowledge"
    assert cause_of(forgotten("Rome", right=(log(0.01), -5.0))) == "format"
    case = checklist(Check("icontains", "paris"))
    assert cause_of(forgotten("Rome", case=case, right=(-14.5, -14.0))) == "format"


def test_too_many_words_are_format_where_the_content_holds() -> None:
    """Of two checks the one on length fails: said otherwise. Where both fail, it is not known."""
    case = checklist(Check("word-count", {"max": 2}), Check("icontains", "paris"))
    assert cause_of(forgotten("It is Paris, I think", case=case)) == "format"
    assert cause_of(forgotten("It is Rome, I think", case=case)) == "knowledge"


def chosen(before: tuple[float, float], now: tuple[float, float]) -> CaseResult:
    """A choice case whose first choice is right, with both choices' log-likelihoods."""
    case = Case("c", "general", Prompt("q", (), continuations=("Paris", "")), ("Paris",), right_choice=0)
    return CaseResult(case, "q", Graded("Paris", "scored", True, "", before), Graded("", "scored", False, "", now))


def test_a_lost_choice_is_knowledge_whatever_the_likelihood_of_the_right_one() -> None:
    """Holding something false likelier than what is true is what the case asks about; its text has no form."""
    assert cause_of(chosen((-1.0, -2.0), (-9.0, -2.0))) == "knowledge"
    assert cause_of(chosen((-1.0, -2.0), (-1.0, -0.5))) == "knowledge"


def test_evidence_of_a_choice_is_the_right_choices_likelihood() -> None:
    """Of other cases it is what was asked for, or nothing."""
    assert evidence_of(chosen((-1.0, -2.0), (-9.0, -2.0))) == RightAnswer("Paris", -1.0, -9.0)
    assert evidence_of(forgotten("Rome", right=(-1, -2))) == RightAnswer("Paris", -1, -2)
    assert evidence_of(forgotten("Rome")) is None
    unanswered = replace(chosen((-1.0, -2.0), (-9.0, -2.0)), model=Graded("", "unanswered", False))
    assert evidence_of(unanswered) is None


def test_drawn_answers_are_told_by_the_one_shown() -> None:
    """Which is a wrong one."""
    had = replace(RIGHT, right_share=Fraction(1))
    has = Graded("", "eos", False, right_share=Fraction(1, 5))
    assert cause_of(CaseResult(question(), "q", had, has)) == "empty"


@pytest.mark.parametrize(
    ("judged", "faulty"),
    [
        (RIGHT, False),
        (Graded("Rome", "eos", False), False),
        (Graded("", "eos", False), True),
        (Graded("Paris and", "length", True), False),
        (Graded("Rome and", "length", False), True),
        (Graded("P\u00e1ris", "eos", False), True),
    ],
)
def test_wrong_form_is_a_matter_of_one_answer(judged: Graded, faulty: bool) -> None:
    """Whoever gave it; a right answer has the right form."""
    assert wrong_form(question(), judged) is faulty


@given(st.text(max_size=120), st.sampled_from(["eos", "stop", "length"]), st.booleans())
def test_every_loss_has_one_of_the_causes(text: str, finish: str, checked: bool) -> None:
    """Whatever was said."""
    case = checklist(Check("icontains", "Paris"), Check("word-count", {"max": 3})) if checked else None
    assert cause_of(forgotten(text, finish, case=case)) in CAUSES
