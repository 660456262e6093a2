"""The built-in checks, each in both directions."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.answers.answer import Answer, Finish
from pytest_forgetting.grading.checks import BUILT_IN
from pytest_forgetting.grading.distance import within_distance

PERSON = {"type": "object", "required": ["name", "age"], "properties": {"age": {"type": "integer"}}}


def holds(check: str, value: object, text: str, finish: Finish = "eos") -> bool:
    """Whether the check holds of an answer."""
    return BUILT_IN[check](value, Answer(text, finish)).holds


@pytest.mark.parametrize(
    ("check", "value", "right", "wrong"),
    [
        ("equals", "Yes", " Yes\n", "yes"),
        ("equals", "Yes", "Yes", "Yes."),
        ("contains", "Paris", "in Paris", "in paris"),
        ("icontains", "paris", "In PARISIAN cafes", "in Rome"),
        ("contains-any", ("a", "b"), "xb", "xB"),
        ("icontains-any", ("a", "b"), "xB", "xc"),
        ("contains-all", ("a", "b"), "ba", "bA"),
        ("icontains-all", ("a", "b"), "BA", "B"),
        ("starts-with", "Dear", " Dear all", "My Dear"),
        ("regex", r"^\d+$", "105", "105."),
        ("regex", r"(?i)yes", "YES", "no"),
        ("is-json", None, '{"a": 1}', 'Here: {"a": 1}'),
        ("is-json", PERSON, '```json\n{"name": "A", "age": 3}\n```', '{"name": "A", "age": "3"}'),
        ("contains-json", None, 'Here: {"a": 1}', "Here: {a: 1}"),
        ("contains-json", PERSON, 'As in [1]: {"name": "A", "age": 3}.', 'Here: {"name": "A"}'),
        ("word-count", {"min": 2, "max": 3}, "one two three", "one two three four"),
        ("word-count", {"min": 2, "max": None}, "one two three", "one"),
        ("sentence-count", {"min": 1, "max": 1}, "It is sunny!", "It is sunny. It rai"),
        ("sentence-count", {"min": 1, "max": None}, "It is sunny. It rai", "It is sunny"),
        ("is-refusal", None, "I cannot help with that.", "Paris."),
        ("levenshtein", {"text": "Paris", "threshold": 1}, "Pariss", "Parisss"),
        ("number", {"value": 10, "tolerance": 0}, "You have ten apples.", "You have 100 apples."),
        ("number", {"value": 3.14, "tolerance": 0.01}, "about 3.15", "about 3.16"),
        ("mentions", {"values": (("France",), ("UK", "Britain")), "at_least": 2}, "uk, FRANCE", "UK and Britain"),
    ],
)
def test_a_check_tells_right_from_wrong(check: str, value: object, right: str, wrong: str) -> None:
    """Each check holds of one answer, and does not hold of one that is near to it."""
    assert holds(check, value, right)
    assert not holds(check, value, wrong)


@pytest.mark.parametrize(("finish", "ended"), [("eos", True), ("stop", True), ("length", False)])
def test_finished_means_ended_by_itself(finish: Finish, ended: bool) -> None:
    """The end token and a stop string end an answer; the token limit breaks it off."""
    assert holds("finished", None, "Paris.", finish) is ended


@pytest.mark.parametrize(
    ("check", "value", "text", "seen"),
    [
        ("icontains", "paris", "Rome", '"paris" not found'),
        ("contains-all", ("a", "b", "c"), "a", '"b", "c" not found'),
        ("contains-any", tuple("abcdefg"), "x", '"a", "b", "c", "d", "e" and 2 more not found'),
        ("equals", "a", "b", 'the answer is not "a"'),
        ("starts-with", "a", "b", 'the answer does not start with "a"'),
        ("regex", "a", "b", 'the pattern "a" not found'),
        ("is-json", None, "b", "the answer is not JSON"),
        ("is-json", PERSON, "{}", "JSON found, but it does not fit the schema"),
        ("contains-json", None, "b", "no JSON object or array in the answer"),
        ("word-count", {"min": 2, "max": 4}, "a", "1 words, bounds: at least 2, at most 4"),
        ("sentence-count", {"min": 1, "max": 1}, "A b", "0 whole sentences and 1 unfinished, bounds: exactly 1"),
        ("is-refusal", None, " ", "the answer is blank"),
        ("levenshtein", {"text": "a", "threshold": 1}, "bcd", 'more than 1 edits away from "a"'),
        ("number", {"value": 10, "tolerance": 2}, "x", "the answer comes to no number, the value is 10 ± 2"),
        ("mentions", {"values": (("a",), ("b",)), "at_least": 2}, "b", '1 mentioned ("b"), bounds: at least 2'),
        ("mentions", {"values": (("a",), ("b",)), "at_least": 2}, "c", "0 mentioned, bounds: at least 2"),
        ("icontains", "paris", "Paris", '"paris" found'),
        ("contains-any", ("a", "b", "c"), "c a", '"a", "c" found'),
        ("contains-all", tuple("abcdef"), "", '"a", "b", "c", "d", "e" and 1 more not found'),
        ("contains-all", tuple("abcde"), "", '"a", "b", "c", "d", "e" not found'),
        ("equals", "a", "a", 'the answer is "a"'),
        ("starts-with", "a", "ab", 'the answer starts with "a"'),
        ("regex", "a", "a", 'the pattern "a" found'),
        ("is-json", None, "[]", "JSON found"),
        ("is-json", PERSON, '{"name": "A", "age": 3}', "JSON found that fits the schema"),
        ("word-count", {"max": 4}, "a", "1 words, bounds: at most 4"),
        ("word-count", {"min": 2}, "a", "1 words, bounds: at least 2"),
        ("sentence-count", {"min": 1, "max": 2}, "It rains.", "1 whole sentences, bounds: at least 1, at most 2"),
        ("is-refusal", None, "I cannot help.", "the answer declines"),
        ("is-refusal", None, "Paris.", "the answer does not decline"),
        ("finished", None, "Paris and", "the answer ran into the token limit"),
        ("levenshtein", {"text": "a", "threshold": 1}, "b", 'at most 1 edits away from "a"'),
        ("number", {"value": 10, "tolerance": 0}, "9 or 12 or 2.5", "the answer comes to 2.5 or 9, the value is 10"),
    ],
)
def test_a_finding_says_what_was_seen(check: str, value: object, text: str, seen: str) -> None:
    """The sentence names what was found, and what it was measured by."""
    assert BUILT_IN[check](value, Answer(text, "length")).seen == seen


def test_a_finding_says_that_the_answer_ended() -> None:
    """By itself or at a stop string."""
    assert BUILT_IN["finished"](None, Answer("Paris.", "stop")).seen == "the answer came to its end"


@pytest.mark.parametrize(
    ("check", "value", "text"),
    [
        ("equals", " Yes ", "Yes"),
        ("starts-with", " Dear", "Dear all"),
        ("word-count", {"min": 1, "max": 1}, "one"),
        ("levenshtein", {"text": " Paris ", "threshold": 0}, "\nParis\n"),
        ("number", {"value": 3.5, "tolerance": None}, "3.5"),
        ("number", {"value": 10, "tolerance": 2}, "8"),
        ("number", {"value": None, "tolerance": 0}, "0"),
        ("mentions", {"values": (("a",), ("b",)), "at_least": 1}, "b"),
        ("contains-json", None, "x [1] y"),
    ],
)
def test_bounds_and_blanks_are_generous(check: str, value: object, text: str) -> None:
    """Bounds and tolerances are met where they are reached; blanks around values make no difference."""
    assert holds(check, value, text)


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ("kitten", "sitting", 3),
        ("flaw", "lawn", 2),
        ("ac", "abc", 1),
        ("bc", "abc", 1),
        ("ab", "abc", 1),
        ("abcd", "bcda", 2),
        ("", "ab", 2),
        ("ab", "ab", 0),
        ("ab", "ba", 2),
        ("abcdef", "xabcdefyz", 3),
    ],
)
def test_distances_by_hand(one: str, other: str, distance: int) -> None:
    """Met at that many edits in both directions, and not at one fewer."""
    for text, wanted in ((one, other), (other, one)):
        assert within_distance(text, wanted, distance)
        assert not within_distance(text, wanted, distance - 1)


@given(st.text("ab", max_size=5), st.text("ab", max_size=5), st.integers(0, 6))
def test_distance_agrees_with_its_definition(one: str, other: str, most: int) -> None:
    """The narrow band gives the same as the full recursion."""

    def distance(left: str, right: str) -> int:
        if not (left and right):
            return len(left) + len(right)
        substituted = distance(left[1:], right[1:]) + (left[0] != right[0])
        return min(substituted, 1 + distance(left[1:], right), 1 + distance(left, right[1:]))

    assert within_distance(one, other, most) is (distance(one, other) <= most)


@given(st.text(), st.sampled_from(sorted(BUILT_IN)))
def test_no_answer_makes_a_check_raise(text: str, check: str) -> None:
    """Control characters, lone halves of characters and blanks are answers like others."""
    values: dict[str, Any] = {
        "is-json": PERSON,
        "contains-json": PERSON,
        "levenshtein": {"text": "Paris", "threshold": 2},
        "number": {"value": 1, "tolerance": 0},
        "mentions": {"values": (("a", "b"),), "at_least": 1},
    } | {count: {"min": 1, "max": 3} for count in ("word-count", "sentence-count")}
    assert holds(check, values.get(check, "a"), text) in (True, False)
