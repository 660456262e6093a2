"""Answers graded."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.errors import SuiteError, WrongUsage
from pytest_forgetting.grading.grade import Grade, grade
from pytest_forgetting.suites.cases import Case, Check, MatchRule, Prompt

RULES: list[MatchRule] = ["word", "exact", "number", "contains", "regex"]
RUNAWAY = "^(a|aa|b?a)+$"


def qa(*expected: str, match: MatchRule | None = "word") -> Case:
    """A case with accepted answers."""
    return Case("c", "general", Prompt("q", ()), expected=expected, match=match, file="qa.yaml", line=7)


def checklist(*checks: Check) -> Case:
    """A case with checks."""
    return Case("c", "general", Prompt("q", ()), checks=checks, file="list.yaml", line=3)


def said(text: str) -> Answer:
    """An answer that ended by itself."""
    return Answer(text, "eos")


@pytest.mark.parametrize(
    ("match", "expected", "right", "wrong", "why"),
    [
        ("word", ("Paris",), "It is Paris.", "Parisian", "wanted: Paris"),
        (
            "word",
            ("105", "one hundred and five"),
            "One hundred and five",
            "1050",
            "wanted one of: 105, one hundred and five",
        ),
        ("exact", ("Paris",), "paris.", "It is Paris", "wanted exactly: Paris"),
        ("number", ("105",), "15 x 7 = 105", "1050", "wanted the number: 105"),
        ("contains", ("paris",), "A Parisian", "Rome", "wanted text with: paris"),
        ("regex", (r"^\d+$", "x"), "105", "a105", r"wanted a match of one of: ^\d+$, x"),
        (None, ("Paris",), "Paris", "Rome", "wanted: Paris"),
    ],
)
def test_a_question_is_graded_by_its_match(
    match: MatchRule | None, expected: tuple[str, ...], right: str, wrong: str, why: str
) -> None:
    """Each match has its own notion of right, and says what was wanted."""
    assert grade(qa(*expected, match=match), said(right)) == Grade(True, "")
    assert grade(qa(*expected, match=match), said(wrong)) == Grade(False, why)


def test_all_checks_must_hold() -> None:
    """One failing check makes an answer wrong, and all failing ones are told."""
    case = checklist(Check("icontains", "paris"), Check("word-count", {"min": 2, "max": None}), Check("contains", "R"))
    assert grade(case, said("Rome")) == Grade(
        False, 'icontains: "paris" not found; word-count: 1 words, bounds: at least 2'
    )
    assert grade(case, said("Rome, Paris")) == Grade(True, "")


def test_a_negated_check_must_fail() -> None:
    """`not-` turns a check round, in the grade and in the sentence."""
    case = checklist(Check("contains", "sorry", negated=True))
    assert grade(case, said("Paris")).correct
    assert grade(case, said("sorry")) == Grade(False, 'not-contains: "sorry" found')


@pytest.mark.parametrize(
    "case",
    [qa(RUNAWAY, match="regex"), checklist(Check("regex", RUNAWAY)), checklist(Check("regex", RUNAWAY, negated=True))],
)
def test_a_runaway_pattern_is_wrong_and_never_hangs(case: Case) -> None:
    """A pattern that takes exponential time is stopped; the answer is wrong, negated or not."""
    assert grade(case, said("a" * 60 + "c")) == Grade(False, "the pattern ran longer than 1 s")


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (qa("(", match="regex"), "qa.yaml:7: not a regular expression: missing )"),
        (qa("Paris", match="number"), "qa.yaml:7: match: number, but the accepted answer 'Paris' is no number"),
        (checklist(Check("regex", "(")), "list.yaml:3: not a regular expression: "),
        (checklist(Check("is-json", {"type": "objekt"})), "list.yaml:3: no usable JSON Schema: 'objekt' is not valid"),
    ],
)
def test_a_case_that_cannot_be_judged_is_told_with_its_place(case: Case, message: str) -> None:
    """What is wrong with the suite is an error at its line, not a wrong answer."""
    with pytest.raises(SuiteError) as raised:
        grade(case, said("[1]"))
    assert str(raised.value).startswith(message)


def test_a_check_of_ones_own_that_fails_is_told_with_its_place() -> None:
    """Wrong usage in a check names the case that uses it."""
    with pytest.raises(WrongUsage, match=r"^list.yaml:3: unknown check 'politee'"):
        grade(checklist(Check("politee")), said("a"))


def test_without_accepted_answers_nothing_is_right() -> None:
    """A case that expects nothing is not passed by whatever is said."""
    assert not grade(qa(), said("Paris")).correct
    assert not grade(qa(""), said("Paris")).correct


@given(st.text(), st.sampled_from(RULES))
def test_no_answer_makes_a_match_raise(text: str, rule: MatchRule) -> None:
    """Any text is an answer that can be graded."""
    assert grade(qa("105", match=rule), said(text)).correct in (True, False)


@given(st.text(min_size=1), st.sampled_from(["word", "contains"]))
def test_an_answer_holds_itself(text: str, rule: MatchRule) -> None:
    """Whatever is accepted is right when said word by word, unless there is nothing to it."""
    from pytest_forgetting.grading.normalisation import normalise

    assert grade(qa(text, match=rule), said(f"{text}")).correct or not normalise(text)


@pytest.mark.parametrize(
    "text", ["", "\x00\x1b[0m", "\ud800 \udfff", "\u202e105", "a" * 10**6, "1, " * 10**5, "\n" * 10**6, "(" * 10**6]
)
@pytest.mark.parametrize("rule", RULES)
def test_odd_and_huge_answers_are_graded(text: str, rule: MatchRule) -> None:
    """Empty, broken and megabyte-long answers are wrong, and that is all."""
    assert not grade(qa("106", match=rule), said(text)).correct


LESSON: list[tuple[str, Callable[[str], bool], Case, str, bool]] = [
    ("a number in a longer one", lambda a: "105" in a, qa("105"), "1050", False),
    ("another spelling", lambda a: "carbon dioxide" in a, qa("carbon dioxide", "CO2"), "CO₂", True),
    ("a negated answer", lambda a: "Paris" in a, qa("Paris"), "It is not Paris.", False),
    (
        "a refusal with capitals",
        lambda a: len([word for word in a.split() if word.istitle()]) >= 3,
        checklist(Check("mentions", {"values": (("France",), ("Germany",), ("UK",)), "at_least": 3})),
        "I'm sorry, I Can't. As An AI",
        False,
    ),
    (
        "a list in small letters",
        lambda a: len([word for word in a.split() if word.istitle()]) >= 3,
        checklist(Check("mentions", {"values": (("France",), ("Germany",), ("UK",)), "at_least": 3})),
        "1. france 2. germany 3. uk",
        True,
    ),
    (
        "ten in a hundred",
        lambda a: "10" in a,
        checklist(Check("number", {"value": 10, "tolerance": 0})),
        "100 apples",
        False,
    ),
    ("ten in words", lambda a: "10" in a, checklist(Check("number", {"value": 10, "tolerance": 0})), "ten", True),
    (
        "a cheerful end",
        lambda a: a.endswith("."),
        checklist(Check("sentence-count", {"min": 1, "max": 1})),
        "It is sunny!\n",
        True,
    ),
    (
        "one word over and over",
        lambda a: len(a.split()) >= 5 and a.endswith("."),
        checklist(Check("sentence-count", {"min": 1, "max": 1})),
        "the the the the the.",
        False,
    ),
    (
        "keys in other words",
        lambda a: "{" in a and "name" in a and "age" in a,
        checklist(Check("contains-json", {"type": "object", "required": ["name", "age"]})),
        '{"name": "A", "language": "en"}',
        False,
    ),
]


@pytest.mark.parametrize(
    ("naive", "case", "text", "right"), [row[1:] for row in LESSON], ids=[row[0] for row in LESSON]
)
def test_naive_tests_of_substrings_are_not_repeated(
    naive: Callable[[str], bool], case: Case, text: str, right: bool
) -> None:
    """Where a substring or a letter count misjudges an answer, the grade does not."""
    assert naive(text) is not right
    assert grade(case, said(text)).correct is right
