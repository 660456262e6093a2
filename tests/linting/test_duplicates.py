"""Cases that ask nearly the same, and questions that are answers to themselves."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.linting.duplicates import NEAR
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


@given(
    st.lists(
        st.tuples(st.sets(st.sampled_from("abcdefgh12"), min_size=1), st.sets(st.sampled_from("xyz"), min_size=1)),
        max_size=12,
    )
)
def test_no_near_pair_is_missed(given: list[tuple[set[str], set[str]]]) -> None:
    """The index finds what comparing all pairs finds."""
    rows = [{"question": " ".join(sorted(asked)), "answer": sorted(answers)} for asked, answers in given]
    told = {finding.line: finding.detail.split("cases:")[1].split()[0] for finding in lint(rows)} if rows else {}
    wanted: dict[int, str] = {}
    for (n, (later, right)), (m, (earlier, also)) in combinations(reversed(list(enumerate(given, 1))), 2):
        near = len(later & earlier) >= NEAR * len(later | earlier) and later & set("12") == earlier & set("12")
        if later == earlier or (near and right & also):
            wanted[n] = str(m)
    assert told == wanted


def test_between_suites_only_other_answers_are_odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each gate counts its own suite, of whichever files; skipped cases are left alone."""
    monkeypatch.chdir(tmp_path)
    one, skipped = "  - {question: Who wrote Hamlet?, answer: b, ", "skip: why}\n"
    (tmp_path / "a.yaml").write_text(QA + one + "id: x}\n")
    (tmp_path / "b.yaml").write_text(QA + one + skipped + one + "id: y}\n" + one.replace("b,", "c,") + "id: z}\n")
    (tmp_path / "more.jsonl").write_text('{"question": "who wrote Hamlet", "answer": "d"}\n')
    (tmp_path / "c.yaml").write_text("forgetting: qa\nsource: more.jsonl\n" + QA[15:] + one + "id: w}\n")
    assert [str(each) for each in lint(["a.yaml", "b.yaml", "c.yaml"])] == [
        "b.yaml:5: duplicate: asks the same as a.yaml:3 (x), with other answers",
        "c.yaml:4: duplicate: asks the same as b.yaml:5 (z), with other answers",
        "more.jsonl:1: duplicate: asks the same as a.yaml:3 (x), with other answers",
    ]


def test_choices_are_part_of_what_is_asked(tmp_path: Path) -> None:
    """Benchmarks ask "which of these is true?" again and again."""
    case = "  - {{prompt: Which of these is true?, choices: [{0}, {0}b], answer: 0}}\n"
    (tmp_path / "a.yaml").write_text("forgetting: choice\ncases:\n" + case.format("x") + case.format("y"))
    assert lint(tmp_path / "a.yaml") == []


def test_a_question_that_is_its_own_answer() -> None:
    """A model that repeats it knows nothing, and is right."""
    assert said(("Is the sun a star or a planet?", "star")) == [
        "cases:1: echo: an answer that only repeats the question is right by match: word, as 'star' is in it"
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
