"""`pytest_forgetting.testing`: suites tried on given answers, without a model."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_forgetting.errors import NotFound, SuiteError, WrongUsage
from pytest_forgetting.grading.registry import check as register
from pytest_forgetting.grading.registry import isolated_checks
from pytest_forgetting.suites.cases import Case, Prompt
from pytest_forgetting.testing import Suite, case, check, grade, load_suite, matches

SUITES = {
    "qa": "  - {id: a, question: Capital of France?, answer: Paris}\n",
    "checklist": "  - {id: a, test: T, prompt: P, checks: [finished, {word-count: 2}]}\n",
    "choice": "  - {id: a, prompt: P, choices: [x, y], answer: y}\n",
    "text": "  - {id: a, text: Once upon a time}\n",
}


def suite(folder: Path, kind: str) -> Suite:
    """A suite of one case, `a`."""
    (folder / "s.yaml").write_text(f"forgetting: {kind}\ncases:\n{SUITES[kind]}")
    return load_suite(folder / "s.yaml")


def test_answers_are_graded_as_in_a_run(tmp_path: Path) -> None:
    """Typed matching, thoughts left out, and the reason where it is wrong."""
    one = case(suite(tmp_path, "qa"), "a")
    assert grade(one, "<think>Rome?</think>It is paris.").correct
    assert grade(one, "Parisian").why == "wanted: Paris"
    assert not grade(one, "<think>Paris").correct


def test_checks_see_how_the_answer_ended(tmp_path: Path) -> None:
    """An answer that was cut off is not finished."""
    one = case(suite(tmp_path, "checklist"), "a")
    assert grade(one, "two words").correct
    assert "finished" in grade(one, "two words", finish="length").why


def test_a_choice_is_graded_by_its_text(tmp_path: Path) -> None:
    """Another text is none of the choices."""
    one = case(suite(tmp_path, "choice"), "a")
    assert grade(one, "y").correct
    assert grade(one, "x").why == "wanted y"
    with pytest.raises(WrongUsage, match=r"s\.yaml:3: found 'z'; wanted one of x, y"):
        grade(one, "z")


def test_texts_have_no_right_answer(tmp_path: Path) -> None:
    """They are measured."""
    with pytest.raises(WrongUsage, match="a text is measured"):
        grade(case(suite(tmp_path, "text"), "a"), "x")


def test_a_case_that_is_not_there(tmp_path: Path) -> None:
    """The message has those that are."""
    with pytest.raises(NotFound, match="a"):
        case(suite(tmp_path, "qa"), "b")


def test_checks() -> None:
    """By name and value, with their twins, and one's own."""
    assert check("icontains", "Paris").holds("PARIS it is")
    assert not (~check("icontains", "Paris")).holds("PARIS it is")
    assert check("not-is-refusal").holds("Hello!")
    assert check("levenshtein", "Paris", threshold=1).holds("Pariss")
    assert not check("levenshtein", "Paris", threshold=1).holds("Parisss")
    assert not check("finished").holds("a", finish="length")
    with isolated_checks():
        register("loud")(str.isupper)
        assert check("loud").holds("HELLO")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("icontain", "x", "check: unknown check 'icontain'; did you mean 'icontains'?"),
        ("regex", "(", "check: '(' is no regular expression: "),
        ("python", "os:remove", "check: 'python' runs code"),
    ],
)
def test_bad_checks(name: str, value: str, told: str) -> None:
    """As a suite would be told."""
    with pytest.raises(SuiteError) as raised:
        check(name, value)
    assert str(raised.value).startswith(told)


def test_matches() -> None:
    """Each rule means what it means in a suite."""
    assert matches("word", "105", "It is 105.")
    assert not matches("word", "105", "1050")
    assert matches("number", "105", "one hundred and five")
    assert matches("regex", r"^\d+$", "12")
    assert not matches("regex", "(a+)+$", "a" * 60 + "b")


@pytest.mark.parametrize(("rule", "accepted"), [("number", "apple"), ("regex", "("), ("words", "x")])
def test_rules_that_cannot_be_meant(rule: str, accepted: str) -> None:
    """One error for all."""
    with pytest.raises(SuiteError):
        # What type checkers would refuse is refused in the run too.
        matches(rule, accepted, "x")  # type: ignore[arg-type]


ONE = Case("a", "general", Prompt("Q", ()), expected=("Paris",))


@pytest.mark.parametrize(
    ("call", "given", "told"),
    [
        (case, ("suite.yaml", "a"), "case: found 'suite.yaml' (str); wanted a Suite"),
        (grade, ("a", "x"), "grade: found 'a' (str); wanted a case"),
        (grade, (ONE, None), "grade: found None (NoneType); wanted an answer, a text"),
        (grade, (ONE, ["Paris"]), "grade: found ['Paris'] (list); wanted an answer, a text"),
        (
            lambda *given: grade(ONE, "x", finish=given[0]),
            ("end",),
            "grade: found finish='end'; wanted eos, stop, length",
        ),
        (check("not-contains", "x").holds, (None,), "holds: found None (NoneType); wanted an answer, a text"),
        (matches, ("word", None, "x"), "matches: found None (NoneType); wanted an accepted answer, a text"),
        (matches, ("word", "5", 5), "matches: found 5 (int); wanted an answer, a text"),
    ],
)
def test_wrong_use_is_told_in_words(call: Callable[..., object], given: tuple[object, ...], told: str) -> None:
    """It neither passes by a slip nor ends in a traceback from within."""
    with pytest.raises(WrongUsage) as raised:
        call(*given)
    assert str(raised.value).startswith(told)


def test_a_threshold_of_another_check() -> None:
    """The message does not ask for what was given."""
    with pytest.raises(SuiteError, match="threshold: only levenshtein has one"):
        check("contains", "a", threshold=3)


def test_it_needs_no_torch() -> None:
    """Tests of suites are fast."""
    code = "import sys, pytest_forgetting.testing; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
