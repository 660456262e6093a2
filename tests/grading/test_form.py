"""Answers that are right but for their form."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.grading.form import LONGEST, right_in_other_form, says
from pytest_forgetting.grading.grade import grade
from pytest_forgetting.grading.registry import check, isolated_checks
from pytest_forgetting.suites.cases import Case, Check, MatchRule, Prompt

PERSON = {"type": "object", "required": ["name"]}


def question(match: MatchRule, *accepted: str) -> Case:
    """A qa case."""
    return Case("c", "general", Prompt("q", ()), accepted, match)


def checklist(*checks: Check) -> Case:
    """A checklist case."""
    return Case("c", "general", Prompt("q", ()), checks=checks)


def only_in_form(case: Case, text: str, finish: str = "eos") -> bool:
    """Whether an answer that is wrong is so in its form only."""
    answer = Answer(text, finish)  # type: ignore[arg-type]  # a literal, by parameter
    assert not grade(case, answer).correct
    return right_in_other_form(case, answer)


@pytest.mark.parametrize(
    ("match", "accepted", "text"),
    [
        ("exact", "Paris", "The capital of France is Paris."),
        ("word", "105", "One hundred and five."),
        ("word", "105", "105km"),
        ("word", "one hundred and five", "It is 105."),
        ("word", "Antoine de Saint-Exupéry", "Antoine de Saint Exupery wrote it."),
        ("word", "ice cream", "Icecream!"),
        ("word", "elephant", "Elephants are."),
        ("word", "H2O", "H<sub>2</sub>O"),
        ("word", "Paris", r"\text{Par}is"),
        ("contains", "naïve", "a naive one"),
        ("regex", "^Paris$", "PARIS"),
    ],
)
def test_the_right_answer_in_another_form(match: MatchRule, accepted: str, text: str) -> None:
    """In a sentence, in words or digits, in other case, accents, hyphens, number or mark-up."""
    assert only_in_form(question(match, accepted), text)


@pytest.mark.parametrize(
    ("match", "accepted", "text"),
    [
        ("exact", "Paris", "It is not Paris."),
        ("word", "Paris", "Rome"),
        ("word", "Paris", "Parisian"),
        ("word", "Saint-Exupéry", "It was not Saint Exupery."),
        ("word", "105", "10 5"),
        ("word", "105", "1050"),
        ("word", "Apollo 11", "There were 11."),
        ("word", "Mar", "Mars"),
        ("number", "105", "15 x 7 = 106"),
        ("number", "105", "105 - 5 = 100"),
        ("regex", "^Paris$", "Rome"),
    ],
)
def test_a_wrong_answer_is_wrong_in_any_form(match: MatchRule, accepted: str, text: str) -> None:
    """Another word, a denial, a longer word or number, another result."""
    assert not only_in_form(question(match, accepted), text)


@pytest.mark.parametrize(
    ("checks", "text"),
    [
        ((Check("word-count", {"max": 2}), Check("icontains", "sun")), "The sun is a star."),
        ((Check("sentence-count", {"min": 1, "max": 1}),), "One. Two."),
        ((Check("is-json", PERSON),), 'Here it is: {"name": "Ada"} as you asked.'),
        ((Check("is-json", None, negated=True),), '{"name": "Ada"}'),
        ((Check("equals", "Paris"),), "**Paris**, of course."),
        ((Check("starts-with", "Dear"),), "Here is a letter. Dear Ada, hello."),
        ((Check("contains", ("Red", "Blue")),), "red and blue"),
        ((Check("contains-any", ("Red", "Blue")),), "blue"),
        ((Check("regex", "Paris"),), "PARIS"),
        ((Check("levenshtein", {"text": "Paris", "threshold": 1}),), "The answer is Paris."),
        ((Check("levenshtein", {"text": "PARIS", "threshold": 1}),), "Pariz"),
        ((Check("mentions", {"values": (("café",), ("bar",)), "at_least": 2}),), "a cafe and a bar"),
    ],
)
def test_checks_that_fail_for_form_alone(checks: tuple[Check, ...], text: str) -> None:
    """Length and shape are form; what is said is found in prose and in any spelling."""
    assert only_in_form(checklist(*checks), text)


@pytest.mark.parametrize(
    ("checks", "text"),
    [
        ((Check("word-count", {"max": 2}), Check("icontains", "sun")), "The moon is a rock."),
        ((Check("is-json", PERSON),), 'Here it is: {"age": 3}'),
        ((Check("is-json", PERSON),), "Ada"),
        ((Check("contains", "Rome", negated=True),), "Rome"),
        ((Check("number", {"value": 12, "tolerance": 0}),), "It is 13."),
        ((Check("contains", ("Red", "Blue")),), "red"),
        ((Check("is-refusal"),), "Here is how."),
        ((Check("mentions", {"values": (("red",), ("blue",)), "at_least": 2}),), "red"),
        ((Check("regex", "^(a+)+$"),), "a" * 60 + "b"),
    ],
)
def test_checks_that_fail_for_content(checks: tuple[Check, ...], text: str) -> None:
    """Something else is said, something forbidden is said, or a pattern cannot be looked into."""
    assert not only_in_form(checklist(*checks), text)


def test_what_is_no_pattern_is_in_no_answer() -> None:
    """Grading tells of it; why an answer is wrong is not the place."""
    assert not right_in_other_form(question("regex", "("), Answer("(", "eos"))


def test_running_into_the_token_limit_is_form() -> None:
    """`finished` looks at nothing that is said."""
    assert only_in_form(checklist(Check("finished")), "The sun is", finish="length")


def test_checks_of_the_users_own_are_content() -> None:
    """Nothing is known of what they look at; and they are not asked where a built-in one has decided."""
    asked = []
    with isolated_checks():

        @check("polite")
        def polite(text: str) -> bool:
            asked.append(text)
            return "please" in text

        rude, wordy = Check("polite"), Check("word-count", {"max": 1})
        assert not right_in_other_form(checklist(rude), Answer("do it", "eos"))
        assert right_in_other_form(checklist(rude, wordy), Answer("please do", "eos"))
        asked.clear()
        assert not right_in_other_form(checklist(rude, Check("icontains", "x")), Answer("please do", "eos"))
    assert not asked


@settings(max_examples=200)
@given(st.text(max_size=200), st.text(min_size=1, max_size=30))
def test_no_text_is_too_strange(text: str, wanted: str) -> None:
    """Whatever is asked for and said, there is an answer."""
    assert isinstance(says(text, wanted), bool)


@given(st.from_regex(r"[a-z]{2,12}( [a-z]{2,12}){0,3}", fullmatch=True))
def test_what_is_said_letter_by_letter_is_said(wanted: str) -> None:
    """The accepted answer by itself, in capitals, and run together is always found, unless it is denied."""
    if not {"not", "never", "non"} & set(wanted.split()):
        assert says(wanted.upper(), wanted)


def test_a_long_answer_takes_no_more_than_its_length() -> None:
    """Many words that all begin like the wanted one, and mark-up that never ends."""
    assert not says("a " * (LONGEST // 2), "ab" * 20)
    assert not says("<a" * (LONGEST // 4) + "\\" * (LONGEST // 2), "Paris")


@pytest.mark.parametrize(("match", "right"), [("word", "Paris"), ("number", "105")])
def test_nothing_is_looked_for_in_more_than_that(match: MatchRule, right: str) -> None:
    """Neither an answer nor an accepted one, up to the very character."""
    most = right.ljust(LONGEST)
    for said, accepted in ((most, right), (right, most)):
        assert right_in_other_form(question(match, accepted), Answer(said, "eos"))
    for said, accepted in ((f"{most} ", right), (right, f"{most} ")):
        assert not right_in_other_form(question(match, accepted), Answer(said, "eos"))
