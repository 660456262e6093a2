"""Outcomes and counts."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.comparison.figures import Figures
from pytest_forgetting.comparison.outcomes import CaseResult, Counts, Graded, count
from pytest_forgetting.suites.cases import Case, Prompt

ASKED = Prompt("q", ())


def result(had: bool, has: bool, **case: object) -> CaseResult:
    """One case that the baseline had right or wrong, and the model has."""
    # Fields of several types.
    return CaseResult(Case("c", "general", ASKED, **case), "q", Graded("a", "eos", had), Graded("b", "eos", has))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("had", "has", "outcome"),
    [(True, True, "retained"), (True, False, "forgotten"), (False, True, "learned"), (False, False, "unknown")],
)
def test_two_grades_make_an_outcome(had: bool, has: bool, outcome: str) -> None:
    """Each pair of grades has its own outcome."""
    assert result(had, has).outcome == outcome


def test_no_answer_on_either_side_is_unanswered() -> None:
    """A case that one side did not answer counts for neither."""
    case = Case("c", "general", ASKED)
    silent = CaseResult(case, "q", Graded("a", "eos", True), Graded("", "unanswered", False, "too long"))
    assert silent.outcome == "unanswered"
    assert count([silent]) == Counts(unanswered=1)


def test_forgotten_less_learned_is_drop_times_n() -> None:
    """The drop is exact: forgotten − learned = drop × n."""
    counts = Counts(retained=131, forgotten=14, learned=4, unknown=9, unanswered=3)
    assert counts.n == 158
    assert counts.drop * counts.n == counts.forgotten - counts.learned
    assert counts.baseline_accuracy - counts.model_accuracy == counts.drop


def test_retention_is_of_what_was_known() -> None:
    """Retention leaves out what the baseline never knew."""
    assert Counts(retained=3, forgotten=1, unknown=96).retention == Fraction(3, 4)
    assert Counts(unknown=5).retention is None


@pytest.mark.parametrize(("severity", "fails"), [("critical", True), ("high", True), ("medium", False), (None, False)])
def test_forgotten_cases_fail_from_the_suites_bar_upwards(severity: str | None, fails: bool) -> None:
    """With `fail_on: high`, critical and high cases fail by themselves, others are left to the gates."""
    assert result(True, False, severity=severity).fails("high") is fails


def test_what_the_baseline_never_knew_cannot_fail() -> None:
    """A critical case that was wrong before is unknown, not forgotten."""
    assert not result(False, False, severity="critical").fails("critical")


def test_require_pass_judges_the_model_alone() -> None:
    """With `require: pass` a wrong answer fails although the baseline was wrong too."""
    assert result(False, False, severity="low", require_pass=True).fails("critical")
    assert not result(False, True, severity="low", require_pass=True).fails("critical")


def test_what_was_not_answered_fails_by_itself_nowhere() -> None:
    """Not even with `require: pass`: there is no answer to be wrong."""
    case = Case("c", "general", ASKED, severity="critical", require_pass=True)
    silent = CaseResult(case, "q", Graded("a", "eos", True), Graded("", "unanswered", False, "too long"))
    assert not silent.fails("low")


def drawn(had: Fraction, has: Fraction) -> CaseResult:
    """A case of which those shares of the drawn answers were and are right."""
    before, now = (Graded("a", "eos", 2 * share > 1, right_share=share) for share in (had, has))
    return CaseResult(Case("c", "general", Prompt("q", (), samples=5, temperature=1.0)), "q", before, now)


def test_a_case_whose_answers_were_drawn_counts_in_parts() -> None:
    """Right in 4 of 5 before and 1 of 5 now: a fifth retained, three forgotten, a fifth unknown."""
    assert count([drawn(Fraction(4, 5), Fraction(1, 5))]) == Counts(Fraction(1, 5), Fraction(3, 5), 0, Fraction(1, 5))
    assert count([drawn(Fraction(1, 5), Fraction(4, 5))]).learned == Fraction(3, 5)


SHARES = st.tuples(st.integers(1, 9), st.integers(0, 9), st.integers(0, 9)).map(
    lambda row: (Fraction(min(row[1], row[0]), row[0]), Fraction(min(row[2], row[0]), row[0]))
)


@given(st.lists(SHARES, max_size=12), st.lists(st.tuples(st.booleans(), st.booleans()), max_size=5), st.integers(0, 3))
def test_parts_sum_to_cases_and_to_the_drop(
    parts: list[tuple[Fraction, Fraction]], whole: list[tuple[bool, bool]], silent: int
) -> None:
    """Whatever is mixed: outcomes sum to n, forgotten − learned is drop · n exactly, and shares are those of cases."""
    nothing = Graded("", "unanswered", False, "too long")
    mute = CaseResult(Case("c", "general", ASKED), "q", Graded("a", "eos", True, right_share=Fraction(1, 2)), nothing)
    counts = count([*(drawn(*each) for each in parts), *(result(*each) for each in whole), *[mute] * silent])
    assert counts.n == len(parts) + len(whole)
    assert counts.unanswered == silent
    assert counts.retained + counts.forgotten + counts.learned + counts.unknown == counts.n
    assert counts.forgotten - counts.learned == counts.drop * counts.n
    had = sum((share for share, _ in parts), Fraction(0)) + sum(each for each, _ in whole)
    has = sum((share for _, share in parts), Fraction(0)) + sum(each for _, each in whole)
    assert counts.baseline_accuracy * counts.n == had
    assert counts.model_accuracy * counts.n == has
    assert min(counts.retained, counts.forgotten, counts.learned, counts.unknown) >= 0


class Scope(Figures):
    """A scope that has nothing but counts."""

    def __init__(self, counts: Counts) -> None:
        """Of any cases."""
        self.counts = counts


def test_figures_of_drawn_answers_may_have_decimals() -> None:
    """Two and a half cases are 2.5, three are the whole number 3."""
    scope = Scope(Counts(retained=Fraction(5, 2), forgotten=Fraction(3), learned=0, unknown=Fraction(1, 2)))
    assert (scope.retained, scope.forgotten, scope.learned, scope.unknown) == (2.5, 3, 0, 0.5)
    assert type(scope.retained) is float
    assert type(scope.forgotten) is int
    assert (scope.n, scope.accuracy_drop, scope.retention) == (6, 0.5, 5 / 11)
