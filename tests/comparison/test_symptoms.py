"""What of a run is read as a symptom."""

from dataclasses import replace
from fractions import Fraction

from pytest_forgetting.comparison.outcomes import CaseResult, Graded
from pytest_forgetting.comparison.scopes import SuiteResult
from pytest_forgetting.comparison.symptoms import Symptoms, symptoms_of
from tests.comparison.choosing import chosen
from tests.comparison.lost import forgotten, learned, question, retained, suite_of
from tests.comparison.measuring import measured

EMPTY, SILENT = Graded("", "eos", False), Graded("", "unanswered", False)


def of(*suites: SuiteResult) -> Symptoms:
    """The symptoms of these suites."""
    return symptoms_of(suites, adapter=False)


def test_wrong_forms_are_a_share_of_what_was_written() -> None:
    """Neither choices nor texts nor unanswered cases are written."""
    written = [
        CaseResult(question(), "q", EMPTY, EMPTY),
        forgotten(""),
        forgotten("Rome and", "length"),
        retained(),
        learned(),
    ]
    others = [
        chosen(1, 1),
        measured(20, 30),
        replace(retained(), model=SILENT),
        CaseResult(question(), "q", EMPTY, SILENT),
    ]
    assert of(suite_of([*written, *others])).wrong_form == (Fraction(1, 5), Fraction(3, 5))
    assert of(suite_of(others)).wrong_form == (Fraction(0), Fraction(0))


def test_texts_have_no_categories_to_be_told_apart_from() -> None:
    """Beside a suite of texts the only other suite keeps its categories' names; beside a second one it does not."""
    texts = suite_of([measured(20, 30)])
    texts = replace(texts, suite=replace(texts.suite, kind="text"))
    lost = suite_of([forgotten("Rome")])
    assert [each.name for each in of(lost, texts).categories] == ["geography"]
    both = of(lost, suite_of([retained()], name="Others"))
    assert [each.name for each in both.categories] == ["Capitals: geography"]
    assert both.asked_categories == 2
