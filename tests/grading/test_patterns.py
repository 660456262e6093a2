"""Patterns have a time limit."""

import pytest

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.grading import patterns
from pytest_forgetting.grading.grade import Grade, fulfils, grade
from pytest_forgetting.grading.json_values import fitting
from pytest_forgetting.suites.cases import Case, Check, Prompt

EXPONENTIAL, TEXT = "^(a|aa|b?a)+$", "a" * 60 + "c"


@pytest.fixture(autouse=True)
def _short_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "TIME_LIMIT", 0.02)


def test_a_search_beyond_the_limit_is_undecided() -> None:
    """The message names the limit."""
    with pytest.raises(patterns.Undecidable, match=r"^the pattern ran longer than 0.02 s$"):
        patterns.matches(EXPONENTIAL, TEXT)


@pytest.mark.parametrize("negated", [False, True])
def test_what_is_undecided_is_not_fulfilled(negated: bool) -> None:
    """Negated or not."""
    assert not fulfils(Check("regex", EXPONENTIAL, negated), Answer(TEXT, "eos"))


def test_what_is_undecided_is_wrong_with_the_reason() -> None:
    """The grade says why."""
    case = Case("c", "general", Prompt("q", ()), (EXPONENTIAL,), "regex")
    assert grade(case, Answer(TEXT, "eos")) == Grade(False, "the pattern ran longer than 0.02 s")


def test_a_schemas_pattern_has_the_same_limit() -> None:
    """The library's own search has none."""
    with pytest.raises(patterns.Undecidable):
        fitting({"pattern": EXPONENTIAL})(TEXT)


class Hungry:
    """Takes all memory, which no test may do in earnest."""

    def search(self, _text: str, timeout: float) -> None:
        """As `regex` ends where there is none left."""
        assert timeout
        raise MemoryError


def test_a_search_beyond_all_memory_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told has words, where Python's error has none."""
    monkeypatch.setattr(patterns, "compiled", lambda _pattern: Hungry())
    with pytest.raises(patterns.Undecidable, match=r"^the pattern needed more memory than there is$"):
        patterns.matches("a", TEXT)
