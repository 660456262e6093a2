"""Answers that say the same over and over."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.grading.loops import loops

WORDS = st.lists(st.from_regex(r"[a-z]{1,9}", fullmatch=True), min_size=1, max_size=40, unique=True)


@pytest.mark.parametrize(
    "text",
    [
        "Paris Paris Paris Paris Paris Paris",
        "The ball was not nice. The ball was not nice. The ball was not nice. The",
        "It is red. It is red. IT IS RED!",
        "Well, the answer is Paris. The answer is Paris. The answer is Paris. The answer is Pa",
        "1. Paris\n2. Paris\n3. Paris\n4. Paris\n5. Paris\n6. Paris",
        "巴黎是首都巴黎是首都巴黎是首都",
        "_" * 50,
        "-- " * 20,
        "Paris, Paris, Paris,\n4. Paris, Paris, Paris",
        "at" * 20,
    ],
)
def test_loops_are_found(text: str) -> None:
    """A word, a phrase or a pattern again and again, the last time maybe broken off."""
    assert loops(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Paris.",
        "No, no, no.",
        "New York, New York",
        "Blue car wins, blue car wins, blue",
        "It is very, very, very far away.",
        "1 2 3 4 5 6 7 8 9 10",
        "red, green, blue, yellow, orange, purple",
        "Row, row, row your boat, gently down the stream.",
        '{"a": 1, "b": 1, "c": 1}',
        "1. apple\n2. pear\n3. plum\n4. fig",
    ],
)
def test_what_people_say_is_no_loop(text: str) -> None:
    """Emphasis, lists, counting and refrains are not."""
    assert not loops(text)


def test_near_repetition_in_a_long_text_is_a_loop() -> None:
    """A text that goes round with small changes ends in no phrase thrice, yet most of what it says has been said."""
    turn = "i like it but i like it a lot but i like it"
    text = " ".join(f"{turn} {'so' if n % 2 else 'and'}" for n in range(6)) + " now"
    assert loops(text)


@pytest.mark.parametrize(
    ("turn", "words", "found"),
    [
        ("p x r s p y r s", 22, False),  # 8 + 3 of 22 four-word sequences: exactly half; 10 if one place did not count
        ("a b c d e f", 20, True),  # 6 + 3 of 20
        ("a b c d e f", 19, False),  # 6 + 3 of 19: too few to tell
        ("a b c d e f g", 20, False),  # 7 + 3 of 20
    ],
)
def test_half_of_the_four_word_sequences_must_differ(turn: str, words: int, found: bool) -> None:
    """Counted by hand: a turn again and again, and three words at the end that end it."""
    assert loops(" ".join([*(turn.split() * 9)[:words], "one", "two", "three"])) is found


@pytest.mark.parametrize(("pattern", "found"), [("abcde", True), ("abcd", True), ("ab", True), ("abcdef", False)])
def test_a_pattern_has_up_to_five_letters(pattern: str, found: bool) -> None:
    """Over thirty of them, and not over twenty-nine."""
    assert loops("z" + (pattern * 15)[:30]) is found
    assert not loops("z" + (pattern * 15)[:29])


@given(WORDS)
def test_a_text_that_repeats_no_word_is_no_loop(words: list[str]) -> None:
    """Whatever the words are."""
    assert not loops(" ".join(words))


@given(WORDS, st.integers(6, 9), st.integers(0, 39))
def test_a_phrase_over_and_over_is_a_loop_wherever_it_breaks_off(words: list[str], times: int, missing: int) -> None:
    """The last time may be incomplete."""
    said = words * times
    assert loops(" ".join(said[: len(said) - missing % len(words)]))


@given(st.text(max_size=300))
def test_no_text_is_too_strange(text: str) -> None:
    """Whatever a model says, there is an answer; blanks around it make no difference."""
    assert loops(text) is loops(f" {text}\n")


def test_a_long_text_takes_no_more_than_its_length() -> None:
    """Millions of characters, where a quadratic search would not come back."""
    words = [str(Random(n).random()) for n in range(1000)]
    assert not loops(" ".join(f"{word}{n}" for n in range(100) for word in words))
