"""Causes and advice in the terminal and in JSON."""

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Any

import pytest

from pytest_forgetting.comparison.comparison import Comparison, Recommendation
from pytest_forgetting.comparison.outcomes import CaseResult
from pytest_forgetting.comparison.participants import Participant
from pytest_forgetting.evaluation.pair import shown_settings
from pytest_forgetting.reporting import terminal
from pytest_forgetting.reporting.json_report import report, to_json
from pytest_forgetting.settings import Settings
from pytest_forgetting.suites.cases import Check
from tests.comparison.lost import checklist, forgotten, retained, suite_of
from tests.reports import fitting

ADVICE = Recommendation("replay", "mix in replay (docs/mitigations.md)", "1 of 1 losses are knowledge")


def comparison(*results: CaseResult, advice: Sequence[Recommendation] = ()) -> Comparison:
    """One suite of these results."""
    sides = Participant("base", "b"), Participant("tuned", "t")
    asked = shown_settings(Settings())
    return Comparison("fail", *sides, (suite_of(results),), asked, recommendations=tuple(advice))


def reported(*results: CaseResult) -> dict[str, Any]:
    """The first case as the JSON report has it."""
    cases: list[dict[str, Any]] = fitting(to_json(comparison(*results)))["cases"]
    return cases[0]


@pytest.mark.parametrize(
    ("result", "cause"),
    [
        (forgotten("Rome"), "knowledge"),
        (forgotten("Rome", right=(-2.1, -7.9)), "knowledge (right answer −2.1 → −7.9 nats)"),
        (forgotten("Rome", right=(-0.01, -inf)), "knowledge (right answer 0.0 → −inf nats)"),
        (forgotten("París"), "format (knows it, says it otherwise)"),
        (
            forgotten("On the Seine", right=(-2.1, -2.3)),
            "format (knows it, says it otherwise: right answer −2.1 → −2.3 nats)",
        ),
        (forgotten("one two", case=checklist(Check("word-count", {"max": 1}))), "format (right but for its form)"),
        (forgotten(""), "empty"),
    ],
)
def test_a_forgotten_case_ends_in_its_cause(result: CaseResult, cause: str) -> None:
    """With the likelihoods that speak for it, where they are known."""
    *_, told = terminal.forgotten(comparison(result))
    assert told.endswith(f"   cause: {cause}")


def test_a_case_that_must_pass_and_was_wrong_before_has_no_cause() -> None:
    """It is listed, but nothing was lost."""
    lost = forgotten("Rome", had=forgotten("Rome").model)
    failing = replace(lost, case=replace(lost.case, require_pass=True))
    *_, told = terminal.forgotten(comparison(failing))
    assert told.endswith('now "Rome"')


def test_causes_are_counted_in_a_line() -> None:
    """The most frequent first; what format means is said."""
    told = terminal.causes(comparison(forgotten("París"), forgotten("Rome"), forgotten("Oslo")))
    assert list(told) == ["causes: 2 knowledge, 1 format (spurious: still known, said otherwise)"]


def test_numeric_noise_has_a_line_of_its_own() -> None:
    """What each case was and is; of many only some."""
    noise = replace(retained(), first="forgotten")
    assert list(terminal.causes(comparison(noise))) == [
        "numeric noise, other when asked again: fr forgotten → retained"
    ]
    (line,) = terminal.causes(comparison(*[noise] * 7))
    assert line.endswith("fr forgotten → retained and 2 more")


def test_nothing_lost_says_nothing_of_causes() -> None:
    """No empty line, no zero."""
    assert list(terminal.causes(comparison(retained()))) == []
    assert list(terminal.advice(comparison(retained()))) == []


def test_advice_says_why_before_what() -> None:
    """One line each."""
    told = terminal.advice(comparison(forgotten("Rome"), advice=[ADVICE]))
    assert list(told) == ["next: 1 of 1 losses are knowledge → mix in replay (docs/mitigations.md)"]


def test_json_names_cause_and_right_answer() -> None:
    """The log-likelihood of what is impossible is null, as JSON has no infinity."""
    case = reported(forgotten("Rome", right=(-2.5, -inf)))
    assert case["cause"] == "knowledge"
    assert case["right_answer"] == {"text": "Paris", "baseline": -2.5, "model": None}


def test_json_names_the_first_outcome_of_a_case_asked_again() -> None:
    """Whether asking again changed it or not."""
    assert reported(replace(retained(), first="forgotten"))["first_outcome"] == "forgotten"
    assert reported(replace(retained(), first="forgotten"))["cause"] == "numeric noise"
    assert reported(replace(forgotten("Rome"), first="forgotten"))["cause"] == "knowledge"


def test_json_leaves_out_what_is_not_known() -> None:
    """A retained case has no cause, and what was not asked has no key."""
    case = reported(retained())
    assert case["cause"] is None
    assert not {"right_answer", "first_outcome"} & case.keys()


def test_json_has_the_recommendations() -> None:
    """Rule, advice and why."""
    assert report(comparison(forgotten("Rome"), advice=[ADVICE]))["recommendations"] == [
        {"rule": "replay", "advice": "mix in replay (docs/mitigations.md)", "because": "1 of 1 losses are knowledge"}
    ]
