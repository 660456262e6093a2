"""Choice cases with both sides' picks, without any model."""

from collections.abc import Sequence

from pytest_forgetting.comparison.outcomes import CaseResult, Graded
from pytest_forgetting.suites.cases import Case, Prompt

SILENT = Graded("", "unanswered", False, "too long")


def chosen(had: int, has: int, k: int = 4) -> CaseResult:
    """A case of `k` choices, the first right, of which the sides hold number `had` and `has` the likeliest."""
    choices = tuple(f"choice {n}" for n in range(k))
    case = Case("c", "general", Prompt("q", (), continuations=choices), (choices[0],), right_choice=0)
    return CaseResult(case, "q", _side(had, choices), _side(has, choices))


def _side(pick: int, choices: Sequence[str]) -> Graded:
    scores = tuple(-1.0 if n == pick else -2.0 - n for n in range(len(choices)))
    return Graded(choices[pick], "scored", pick == 0, loglikelihoods=scores)


def outcomes(retained: int, forgotten: int, learned: int, unknown: int, k: int = 4) -> list[CaseResult]:
    """As many cases of each outcome."""
    kinds = [(0, 0, retained), (0, 1, forgotten), (1, 0, learned), (1, 1, unknown)]
    return [chosen(had, has, k) for had, has, times in kinds for _ in range(times)]
