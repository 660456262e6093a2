"""Cases that ask nearly the same, and questions that are answers to themselves."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.linting.duplicates import NEAR, _near
from pytest_forgetting.testing import lint

QA = "forgetting: qa\ncases:\n"


def said(*pairs: tuple[str, str]) -> list[str]:
    """What is found in a suite of these questions and answers."""
    return [str(each) for each in lint([{"question": question, "answer": answer} for question, answer in pairs])]


def test_the_same_question_in_another_form() -> None:
    """Capitals and punctuation make no difference."""
    (found,) = said(("Who wrote Hamlet?", "Shakespeare"), ("who wrote 'Hamlet'", "shakespeare"))
    assert found.startswith("cases:2: duplicate: asks the same as cases:1 (who-wrote-hamlet-")
    assert found.endswith(")")


def test_the_same_question_with_another_answer() -> None:
    """One of the two is wrong."""
    (found,) = said(("Who wrote Hamlet?", "Shakespeare"), ("Who wrote Hamlet?", "Marlowe"))
    assert found.endswith(", with other answers")


def test_nearly_the_same_question() -> None:
    """A word more, and the same answer."""
    (found,) = said(
        ("Which famous playwright wrote the long tragedy Hamlet", "Shakespeare"),
        ("Which famous English playwright wrote the long tragedy Hamlet?", "shakespeare"),
    )
    assert "asks nearly the same as cases:1" in found


@pytest.mark.parametrize(
    "pairs",
    [
        (("What is the name of the capital city of France today?", "Paris"),
         ("What is the name of the capital city of Peru today?", "Lima")),
        (("A train has 8 cars and then 3 more are added, how many?", "x"),
         ("A train has 9 cars and then 3 more are added, how many?", "x")),
    ],
    ids=["other answers", "other numbers"],
)  # fmt: skip
def test_questions_of_one_form_are_no_duplicates(pairs: tuple[tuple[str, str], ...]) -> None:
    """Another answer, or another number, makes another question."""
    assert said(*pairs) == []


@given(st.lists(st.frozensets(st.sampled_from("abcdefghij"), min_size=1), max_size=12))
def test_no_near_pair_is_missed(bags: list[frozenset[str]]) -> None:
    """The filter finds what comparing all pairs finds."""
    found = {(later, earlier) for later, near in _near(bags) for earlier in near}
    pairs = combinations(range(len(bags)), 2)
    assert found == {(b, a) for a, b in pairs if len(bags[a] & bags[b]) >= NEAR * len(bags[a] | bags[b])}


def test_duplicates_between_suites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The later file is told of the first; skipped cases are left alone."""
    monkeypatch.chdir(tmp_path)
    one, skipped = "  - {question: Who wrote Hamlet?, answer: b, ", "skip: why}\n"
    (tmp_path / "a.yaml").write_text(QA + one + "id: x}\n")
    (tmp_path / "b.yaml").write_text(QA + one + skipped + one + "id: y}\n")
    assert [str(each) for each in lint(["a.yaml", "b.yaml"])] == ["b.yaml:4: duplicate: asks the same as a.yaml:3 (x)"]


def test_choices_are_part_of_what_is_asked(tmp_path: Path) -> None:
    """Benchmarks ask "which of these is true?" again and again."""
    case = "  - {{prompt: Which of these is true?, choices: [{0}, {0}b], answer: 0}}\n"
    (tmp_path / "a.yaml").write_text("forgetting: choice\ncases:\n" + case.format("x") + case.format("y"))
    assert lint(tmp_path / "a.yaml") == []


def test_a_question_that_is_its_own_answer() -> None:
    """A model that repeats it knows nothing, and is right."""
    assert said(("Is the sun a star or a planet?", "star")) == [
        "cases:1: echo: an answer that only repeats the question is right by match: word"
    ]


def test_checks_that_the_prompt_passes(tmp_path: Path) -> None:
    """Not told where all checks say what must not be there: any text passes those."""
    path = tmp_path / "a.yaml"
    path.write_text(
        "forgetting: checklist\ncases:\n"
        "  - {test: a, prompt: Write about a cat., checks: [{icontains: cat}]}\n"
        "  - {test: b, prompt: Say hello., checks: [not-is-refusal]}\n"
    )
    (found,) = lint(path)
    assert (found.line, found.kind) == (3, "echo")
    assert found.detail == "an answer that only repeats the question passes all checks"
