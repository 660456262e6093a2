"""The cases as the page carries them: as data, which its script shows as text, in a file of bounded size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_forgetting.comparison.comparison import Comparison
from pytest_forgetting.grading.thoughts import CLOSE, without_thoughts
from pytest_forgetting.reporting.html_report.escaping import script_json, visible
from pytest_forgetting.reporting.html_report.word_diff import WordDiff
from pytest_forgetting.reporting.json_report import cases
from pytest_forgetting.suites.cases import Case, Check

MOST_CASES = 20_000
"""Cases of a page; the JSON report has them all."""
BUDGET = 8_000_000
"""Bytes for all texts of the cases."""
LIMITS = (4000, 1000, 250, 80)
"""Characters of one text: the first limit under which the texts of all cases fit into the budget."""
ORDER = ("forgotten", "unanswered", "learned", "unknown", "measured", "retained")
"""What a reader looks for first; before all of them come cases that fail by themselves."""


@dataclass(frozen=True)
class CaseRows:
    """All cases that a page shows."""

    json: str
    """The rows, in the form that a script element can hold."""
    shown: int
    left_out: int
    """Cases beyond `MOST_CASES`."""
    limit: int
    """Characters of one text."""
    cut: bool
    """Whether any text is longer than that."""


def case_rows(comparison: Comparison) -> CaseRows:
    """The cases of `comparison`, what was forgotten first."""
    rows = sorted(_told(comparison), key=_rank)
    shown, left_out = rows[:MOST_CASES], len(rows) - MOST_CASES
    limit = _limit(shown)
    diff = WordDiff()
    data = [_row(case, limit, diff) for case in shown]
    lines = ",\n".join(script_json(row) for row in data)
    return CaseRows(f"[\n{lines}\n]", len(shown), max(0, left_out), limit, any("cut" in row for row in data))


def _told(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """As the JSON report tells the cases, with what a person needs to find them."""
    pairs = [(number, suite, result) for number, suite in enumerate(comparison.suites) for result in suite.results]
    for (number, suite, result), told in zip(pairs, cases(comparison), strict=True):
        case = result.case
        yield told | {
            "number": number,
            "fails": result.fails(suite.suite.fail_on),
            "title": case.title or result.prompt,
            "place": f"{case.file}:{case.line}" if case.file else "",
            "wanted": wanted(case),
        }


def wanted(case: Case) -> str:
    """What a right answer is: one of several answers, or all checks, one a line."""
    return " or ".join(case.expected) or "\n".join(map(_check, case.checks))


def _check(check: Check) -> str:
    name = f"not-{check.type}" if check.negated else check.type
    return name if check.value is None else f"{name}: {_plain(check.value)}"


def _plain(value: object, between: str = ", ") -> str:
    """A check's value in as few signs as can be."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_plain(each)}" for key, each in value.items() if each is not None)
    if isinstance(value, list | tuple):
        return between.join(_plain(each, "/") for each in value)
    return str(value)


def _rank(told: Mapping[str, Any]) -> tuple[bool, int]:
    return not told["fails"], ORDER.index(told["outcome"])


def _limit(told: Sequence[Mapping[str, Any]]) -> int:
    texts = [text for case in told for text in _texts(case)]
    # Anything but ASCII is written as \uXXXX, six bytes.
    sizes = [(len(text), 1 if text.isascii() else 6) for text in texts]
    fitting = (limit for limit in LIMITS if sum(min(size, limit) * width for size, width in sizes) <= BUDGET)
    return next(fitting, LIMITS[-1])


def _texts(told: Mapping[str, Any]) -> Iterable[str]:
    said = (side[key] for side in _sides(told) for key in ("answer", "why"))
    return [told["title"], told["prompt"], told["wanted"], *(told["choices"] or ()), *said]


def _row(told: Mapping[str, Any], limit: int, diff: WordDiff) -> dict[str, Any]:
    """One case; what is empty is left out."""
    scissors = _Scissors(limit)
    answers = [scissors(without_thoughts(side["answer"]).strip()) for side in _sides(told)]
    row = {
        "id": told["id"],
        "suite": told["number"],
        "category": visible(told["category"]),
        "outcome": told["outcome"],
        "fails": told["fails"],
        "severity": told["severity"],
        "cause": told["cause"],
        "first": told.get("first_outcome"),
        "title": scissors(told["title"]),
        "place": told["place"],
        "expected": scissors(told["wanted"]),
        "prompt": scissors(told["prompt"]),
        "answers": diff.changes(*answers),
        **_evidence(told, scissors),
    }
    row = {key: value for key, value in row.items() if value or key == "suite"}  # a suite may be number 0
    return row | ({"cut": scissors.cut} if scissors.cut else {})


def _sides(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [told["baseline"], told["model"]]


def _evidence(told: Mapping[str, Any], scissors: _Scissors) -> dict[str, Any]:
    """What else is known of both answers, the baseline's first."""
    sides, right = _sides(told), told.get("right_answer")
    return {
        "choices": [scissors(text) for text in told["choices"] or ()],
        "thoughts": _pair(scissors(_thoughts(side["answer"])) for side in sides),
        "why": _pair(scissors(side["why"]) for side in sides),
        "finish": _pair(side["finish"] for side in sides),
        "scores": _pair(side.get("loglikelihoods") for side in sides),
        "shares": _pair(side.get("right_share") for side in sides),
        "right": right and right | {"text": scissors(right["text"])},
    }


def _pair(values: Iterable[Any]) -> list[Any] | None:
    both = list(values)
    return both if any(value not in (None, "") for value in both) else None


def _thoughts(answer: str) -> str:
    thoughts, close, _ = answer.partition(CLOSE)
    return (thoughts + close).strip() if close else ""


class _Scissors:
    """Cuts texts at a limit and counts what fell."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.cut = 0

    def __call__(self, text: str) -> str:
        if len(text) <= self._limit:
            return text
        self.cut += len(text) - self._limit
        return text[: self._limit] + "…"
