"""The data that the demo models are made from."""

import re
from collections import Counter
from pathlib import Path

import pytest

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.demo.facts import base_texts, domain_texts, general_facts, instructions, medication_facts
from pytest_forgetting.grading.grade import grade
from pytest_forgetting.suites.cases import Case
from pytest_forgetting.suites.loading import load_suite

SUITES = Path(__file__).parents[2] / "example_suites"
GENERAL = [fact for category in general_facts().values() for fact in category]


def known_answers(case: Case) -> list[str]:
    """What the data files answer to `case`."""
    answers = {f"Question: {fact.question}\nAnswer:": [fact.answer] for fact in [*GENERAL, *medication_facts()]}
    answers |= {instruction.prompt: list(instruction.answers) for instruction in instructions()}
    return answers[case.prompt.text]


def prompts(name: str) -> set[str]:
    """What the suite `name` asks."""
    return {case.prompt.text for case in load_suite(SUITES / name).cases}


def test_there_is_enough_to_know() -> None:
    """The files hold the promised number of facts, categories and instructions."""
    assert len(GENERAL) >= 120
    assert len(general_facts()) >= 5
    assert len(instructions()) >= 24
    assert len(medication_facts()) >= 40


def test_ids_are_unique() -> None:
    """No two facts or instructions bear one id."""
    ids = [fact.id for fact in [*GENERAL, *medication_facts()]] + [one.id for one in instructions()]
    assert [name for name, count in Counter(ids).items() if count > 1] == []


def test_nothing_is_asked_twice() -> None:
    """A question has one answer, and stands in one file."""
    asked = [fact.question.casefold() for fact in [*GENERAL, *medication_facts()]]
    assert len(set(asked)) == len(asked)


def test_the_base_has_never_seen_the_domain() -> None:
    """No medicine's name occurs in what the base is trained on."""
    medicines = {fact.id.split("-of-")[1] for fact in medication_facts()}
    words = set(re.findall(r"\w+", " ".join(base_texts()).casefold()))
    assert len(medicines) >= 40
    assert medicines & words == set()


def test_the_domain_holds_no_general_fact() -> None:
    """Nothing that the general suites ask is planted in the data of the tuning."""
    domain = "".join(domain_texts())
    assert [fact.id for fact in GENERAL if fact.question in domain] == []
    assert [instruction.id for instruction in instructions() if instruction.prompt in domain] == []


def test_suites_ask_the_general_and_the_domain_apart() -> None:
    """The medication suite asks nothing but medication, the other suites none of it."""
    domain = {f"Question: {fact.question}\nAnswer:" for fact in medication_facts()}
    assert prompts("medication.yaml") <= domain
    general = prompts("general_qa.yaml") | prompts("lesson_qa.yaml") | prompts("checklist.yaml")
    assert general & domain == set()


@pytest.mark.parametrize("path", sorted(SUITES.glob("*.yaml")), ids=lambda path: path.stem)
def test_suites_accept_what_the_files_say(path: Path) -> None:
    """Each answer of the data files is right by the suite that asks for it, as a model would write it."""
    answers = [(case, answer) for case in load_suite(path).cases for answer in known_answers(case)]
    faults = [(case.title, answer, grade(case, Answer(f"\n{answer}", "eos")).why) for case, answer in answers]
    assert [fault for fault in faults if fault[2]] == []


@pytest.mark.parametrize("path", sorted(SUITES.glob("*.yaml")), ids=lambda path: path.stem)
def test_suites_refuse_an_answer_to_something_else(path: Path) -> None:
    """No case is so lenient that an unrelated text would pass."""
    wrong = Answer(" a pharmacy in Atlantis keeps 77777 bottles without labels and", "length")
    assert [case.title for case in load_suite(path).cases if grade(case, wrong).correct] == []


def test_suites_are_large_enough() -> None:
    """The statistics get 100 general questions in five categories, and 20 instructions."""
    general = load_suite(SUITES / "general_qa.yaml")
    assert len(general.cases) >= 100
    assert len(general.categories) >= 5
    assert len(load_suite(SUITES / "checklist.yaml").cases) >= 20
    assert load_suite(SUITES / "medication.yaml").role == "target"
