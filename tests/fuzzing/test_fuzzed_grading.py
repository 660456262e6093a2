"""No answer makes a matcher or a check raise, waver, or agree with its own negation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, get_args

import pytest
from hypothesis import example, given, reject
from hypothesis import strategies as st

from pytest_forgetting.grading.form import right_in_other_form
from pytest_forgetting.grading.grade import fulfils, grade
from pytest_forgetting.grading.loops import loops
from pytest_forgetting.grading.patterns import Undecidable
from pytest_forgetting.suites.cases import Case, Check, MatchRule, Prompt
from pytest_forgetting.suites.checks import BadCheck, read_check
from tests.fuzzing.hostile_texts import PIECES, TEXTS
from tests.fuzzing.tiers import ending, tiers, trying


@dataclass(frozen=True)
class Answered:
    """An answer as the grading sees it."""

    text: str
    finish: str = "eos"


WHOLE = st.integers(0, 30)
NUMBER = st.integers(-(10**20), 10**20) | st.floats(-1e9, 1e9)
LIST = st.lists(TEXTS, min_size=1, max_size=3)
SCHEMA = st.sampled_from(
    [
        None,
        {},
        {"type": "object", "required": ["a"]},
        {"type": "array", "items": {"type": "number", "multipleOf": 0.1}, "uniqueItems": True},
        {"properties": {"a": {"$ref": "#"}}, "items": {"$ref": "#"}},
        {"patternProperties": {"^a": {"type": "number"}, "(a+)+$": False}, "additionalProperties": False},
        {"unevaluatedProperties": False, "patternProperties": {"(a|aa)+$": True}},
        {"enum": [1, "a", [1], {"a": None}]},
        {"propertyNames": {"pattern": "^(a|aa)+$"}, "maxProperties": 2},
    ]
)
PATTERN = st.sampled_from(["a", "^(a|aa|b?a)+$", r"\d+", "(?i)paris", r"\bnot\b", "[^\x00]", "(?s).*", "^$"])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("equals", "contains", "icontains", "starts-with"), TEXTS),
    **dict.fromkeys(("contains-any", "contains-all", "icontains-any", "icontains-all"), LIST),
    **dict.fromkeys(("is-json", "contains-json"), SCHEMA),
    **dict.fromkeys(("word-count", "sentence-count"), WHOLE | st.fixed_dictionaries({"min": WHOLE})),
    **dict.fromkeys(("is-refusal", "finished"), st.none()),
    "regex": PATTERN,
    "number": NUMBER | st.fixed_dictionaries({"value": NUMBER, "tolerance": st.floats(0, 10)}),
    "mentions": st.fixed_dictionaries({"values": st.lists(TEXTS | LIST, min_size=1, max_size=3)}),
    "levenshtein": TEXTS,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**400), 10**400) | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS | st.just("a"), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def answers(draw: st.DrawFn) -> str:
    """Any text, and JSON of any value."""
    import json

    return json.dumps(draw(JSON)) if draw(st.integers(0, 3)) == 0 else draw(TEXTS)


@st.composite
def checks(draw: st.DrawFn) -> Check:
    """Any built-in check with any value that it takes."""
    name = draw(st.sampled_from(sorted(VALUES)))
    try:
        return read_check({name: draw(VALUES[name])}, (), allow_python=False)
    except BadCheck:  # such as the empty text, which is in every answer
        reject()


def case(**more: Any) -> Case:
    """A case that is judged."""
    return Case("a", "general", Prompt("q", ()), file="s.yaml", line=1, **more)


@tiers(100)
def test_every_check_judges_every_answer(examples: int) -> None:
    """A check holds, or its negation does; the same each time; with a reason where it is not as wanted."""

    @trying(examples)
    @given(check=checks(), text=answers(), finish=st.sampled_from(["eos", "stop", "length"]))
    @example(Check("is-json", {"multipleOf": 0.1}), "1" + "0" * 400, "eos")
    @example(Check("is-json", {"items": {"$ref": "#"}}), "[" * 300 + "]" * 300, "eos")
    @example(Check("number", {"value": 1, "tolerance": 0}), "1/2e5", "eos")
    @example(Check("mentions", {"values": (("a",),), "at_least": 1}), "\U00011f50", "eos")
    @example(Check("is-json", {"patternProperties": {"(a+)+$": False}}), '{"' + "a" * 40 + '!": 1}', "eos")
    @example(
        Check("is-json", {"unevaluatedProperties": False, "patternProperties": {"(a+)+$": True}}),
        '{"' + "a" * 40 + '!": 1}',
        "eos",
    )
    def holds(check: Check, text: str, finish: str) -> None:
        answer, twin = Answered(text, finish), replace(check, negated=True)
        with ending():
            judged = grade(case(checks=(check,)), answer)
            opposite = grade(case(checks=(twin,)), answer)
            right_in_other_form(case(checks=(check,)), answer)
        assert (judged, opposite) == (grade(case(checks=(check,)), answer), grade(case(checks=(twin,)), answer))
        assert judged.correct == fulfils(check, answer)
        assert bool(judged.why) is not judged.correct
        undecided = judged.why == opposite.why != ""
        assert undecided or judged.correct is not opposite.correct

    holds()


@tiers(100)
def test_every_matcher_judges_every_answer(examples: int) -> None:
    """By every rule; and what it compares with itself is right where it has anything to compare."""

    @trying(examples)
    @given(rule=st.sampled_from(get_args(MatchRule)), text=TEXTS, accepted=TEXTS, pattern=PATTERN)
    @example(rule="number", text="1/2e5", accepted="5", pattern="")
    @example(rule="word", text="\U00011f50", accepted="\U0001e4f0", pattern="")
    def holds(rule: MatchRule, text: str, accepted: str, pattern: str) -> None:
        wanted = {"regex": pattern, "number": "105"}.get(rule, accepted)
        asked, answer = case(expected=(wanted,), match=rule), Answered(text)
        with ending():
            judged = grade(asked, answer)
            right_in_other_form(asked, answer)
            loops(text)
        assert judged == grade(asked, answer)
        if rule == "exact" or (rule == "contains" and accepted.strip()):
            assert grade(asked, Answered(wanted)).correct

    holds()


@pytest.mark.slow
@pytest.mark.parametrize("piece", [piece for piece in PIECES if piece])
def test_long_answers_are_judged_in_time(piece: str) -> None:
    """A hundred thousand characters by every check and matcher, whatever they are."""
    answer = Answered((piece * (100_000 // len(piece) + 1))[:100_000])
    values: dict[str, Any] = {"is-json": {"patternProperties": {"(a+)+$": {}}}, "contains-json": {"type": "string"}}
    given = {
        **dict.fromkeys(("equals", "contains", "icontains", "starts-with", "levenshtein"), "Paris is the capital"),
        **{name: ["Paris", piece] for name in ("contains-any", "contains-all", "icontains-any", "icontains-all")},
        **dict.fromkeys(("word-count", "sentence-count"), 5),
        **dict.fromkeys(("is-refusal", "finished"), None),
        **{"regex": "^(a|aa|b?a)+$", "number": 5, "mentions": {"values": ["Paris", "Rome"]}},
        **values,
    }
    with ending():
        for name, value in given.items():
            try:
                fulfils(read_check({name: value}, (), allow_python=False), answer)
            except (Undecidable, BadCheck) as error:
                raise AssertionError(f"{name}: {error}") from error
        for rule in get_args(MatchRule):
            asked = case(expected=("105",), match=rule)
            grade(asked, answer)
            right_in_other_form(asked, answer)
        loops(answer.text)
