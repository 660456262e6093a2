"""The comparison as lines for a terminal."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.comparison.comparison import Comparison
from pytest_forgetting.comparison.judge import Judge
from pytest_forgetting.comparison.outcomes import CaseResult, Graded
from pytest_forgetting.comparison.participants import Finding, Participant
from pytest_forgetting.reporting import terminal
from pytest_forgetting.reporting.clipping import clipped
from pytest_forgetting.suites.cases import Case, GatePolicy, Prompt, Suite

RIGHT, WRONG = Graded("Paris", "eos", True, ""), Graded("Rome\nof course", "eos", False, "wanted Paris")
PROMPT = Prompt("Capital of France?", (), (), (), 8)


def case(n: int, category: str) -> Case:
    """One question."""
    return Case(f"c{n}", category, PROMPT, ("Paris",), "word", title=PROMPT.text, file="s.yaml", line=n + 1)


def comparison(pairs: Sequence[tuple[Graded, Graded]], categories: Sequence[str] = ("geo",)) -> Comparison:
    """A suite named Capitals whose case n was answered so, and is of category n."""
    cases = tuple(case(n, categories[n % len(categories)]) for n in range(len(pairs)))
    suite = Suite(Path("s.yaml"), "Capitals", "qa", cases, gate=GatePolicy(Fraction(1, 10)), nodeid="s.yaml")
    results = [CaseResult(one, "Capital?", had, has) for one, (had, has) in zip(cases, pairs, strict=True)]
    judged = Judge().suite(suite, results)
    findings = (Finding("dtype", "warning", "they differ"),)
    return Comparison("fail", Participant("base", "b"), Participant("tuned", "t"), (judged,), audit=findings)


LOST = comparison([(RIGHT, RIGHT)] * 6 + [(RIGHT, WRONG)] * 3 + [(WRONG, RIGHT)], ("geo", "maths"))


def test_the_table_has_a_row_per_suite_and_category() -> None:
    """Counts, shares, drop, interval and verdict stand in one row each."""
    head, suite, *categories = terminal.table(LOST)
    assert head.split()[:4] == ["suite", "n", "baseline", "model"]
    assert suite.split()[:8] == ["Capitals", "10", "90.0", "%", "70.0", "%", "20.0", "pts"]
    assert "FAIL  > 10 pts, not proven: about" in suite
    assert [row.split()[0] for row in categories] == ["geo", "maths"]
    assert all(row.startswith("  ") for row in categories)


def test_the_interval_is_named_by_its_confidence() -> None:
    """The heading says what the numbers mean."""
    assert "90 % interval" in next(iter(terminal.table(LOST, confidence=0.9)))


def test_counts_name_unanswered_cases_only_where_there_are_some() -> None:
    """One line, always with the same four words."""
    assert terminal.counts(LOST) == "6 retained, 3 forgotten, 1 learned, 0 unknown"
    silent = Graded("", "unanswered", False, "too long")
    assert terminal.counts(comparison([(silent, RIGHT)])).endswith("1 unanswered")


def test_forgotten_cases_show_what_was_wanted_had_and_said() -> None:
    """File and line, question, expected answer, both answers and the cause."""
    first, told, *_ = terminal.forgotten(LOST)
    assert first == "s.yaml:7  Capital of France?"
    assert told == '    wanted Paris · had "Paris" · now "Rome of course"   cause: knowledge'


def test_a_long_list_says_how_many_are_left_out() -> None:
    """And where they all are."""
    lines = list(terminal.forgotten(LOST, limit=1))
    assert lines[-1] == "… and 2 more; --forgetting-report FILE.json lists them all"


def test_the_headline_counts_in_words() -> None:
    """Singular and plural."""
    assert terminal.headline(LOST) == "tuned against base · 1 suite · 10 cases"
    assert terminal.headline(comparison([(RIGHT, RIGHT)])).endswith("1 suite · 1 case")


def test_findings_come_with_their_severity() -> None:
    """What the audit found is told before the table."""
    assert list(terminal.findings(LOST)) == ["warning: they differ"]


@given(st.text(), st.integers(2, 40))
def test_shown_text_is_one_short_line_that_commands_no_terminal(text: str, width: int) -> None:
    """Whatever a model says: no control character, no line break, no more than the width."""
    shown = clipped(text, width)
    assert len(shown) <= width
    assert shown.isprintable()


@pytest.mark.parametrize("pairs", [[(RIGHT, RIGHT)], [(WRONG, WRONG)]])
def test_nothing_forgotten_lists_nothing(pairs: list[tuple[Graded, Graded]]) -> None:
    """What was never known is not listed as lost."""
    assert list(terminal.forgotten(comparison(pairs))) == []
