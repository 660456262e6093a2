"""Numbers in text, and which of them an answer comes to."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.grading.numerals import conclusions, number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("105", "105"),
        ("1,945.50", "1945.5"),
        ("$5", "5"),
        ("50 %", "50"),
        ("-3", "-3"),
        ("−$3", "-3"),
        (".5", "0.5"),
        ("1/2", "1/2"),
        ("½", "1/2"),
        ("1e5", "100000"),
        ("5 million", "5000000"),
        ("1.5 hundred", "150"),
        ("10kg", "10"),
        ("2nd", "2"),
        ("zero", "0"),
        ("ten", "10"),
        ("twenty-one", "21"),
        ("One Hundred and Five", "105"),
        ("a hundred", "100"),
        ("twelve hundred", "1200"),
        ("two thousand and six", "2006"),
        ("two million, three hundred thousand and five", "2300005"),
        ("minus forty", "-40"),
        ("hundred", "100"),
        ("9" * 60, "9" * 60),
        ("thousand", "1000"),
        ("one million one", "1000001"),
        ("three hundred thousand", "300000"),
        ("2 thousand", "2000"),
        ("1'945", "1945"),
        ("negative ten", "-10"),
    ],
)
def test_numbers_are_read_in_digits_and_words(text: str, value: str) -> None:
    """Separators, units, fractions and English words make one value."""
    assert number(text) == Fraction(value)


@pytest.mark.parametrize("text", ["Paris", "", "CO2", "1.2.3", "1/0", "two and three", "often", "9" * 61])
def test_what_is_no_single_number(text: str) -> None:
    """Names, versions, impossible fractions and several numbers are no number."""
    assert number(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "105",
        "15 x 7 = 105",
        "15 multiplied by 7 is 105.",
        "105 because 15*7=105",
        "105 because 15 x 7",
        "105 = 15 * 7",
        "It is 105, not 106",
        "First 15 times 5 makes 75, and with 30 that is 105",
        "The answer is **105**, since 10 times 7 makes 70 and 5 times 7 makes 35",
        "105, the one that you wanted",
        "one hundred and five",
        "\\boxed{105}",
        "Step 1: 70. Step 2: 35. Hence 105",
    ],
)
def test_answers_that_come_to_105(text: str) -> None:
    """The stated result counts wherever it stands; its operands and steps do not speak against it."""
    assert Fraction(105) in conclusions(text)


@pytest.mark.parametrize(
    "text", ["1050", "105 - 5 = 100", "not 105", "106, because 105 + 1", "105.5", "-105", "105 then 106 is 107"]
)
def test_answers_that_do_not_come_to_105(text: str) -> None:
    """A number that is an operand, a step, negated or part of another one is not the answer."""
    assert Fraction(105) not in conclusions(text)


def test_one_is_a_number_where_it_is_the_answer() -> None:
    """A lone "one" can be the answer, but does not speak against another number."""
    assert Fraction(1) in conclusions("Only one.")
    assert Fraction(7) in conclusions("Seven is the right one")
    assert Fraction(1) not in conclusions("No one doubts that it is 7")


def test_a_lone_one_is_left_out_where_it_may_be_a_pronoun() -> None:
    """The last number beside it counts as well."""
    assert conclusions("We had 7 of them, said one") == {1, 7}


def test_the_first_number_counts_only_where_the_answer_opens_with_it() -> None:
    """Behind a word it is one of several, of which the last counts; so it is as an operand."""
    assert conclusions("There are 3 apples and 5 pears") == {5}
    assert conclusions("3 apples and 5 pears") == {3, 5}
    assert conclusions("3 + 4 are numbers, 5 too") == {5}


@given(st.integers(min_value=-(10**9), max_value=10**9))
def test_any_integer_is_read_back(value: int) -> None:
    """Plain and with thousands separators, every integer is found again."""
    assert number(str(value)) == number(f"{value:,}") == value


@given(st.integers(min_value=1, max_value=999), st.integers(min_value=1, max_value=999))
def test_a_result_is_told_from_its_operands(left: int, right: int) -> None:
    """Of an equation, only the result counts."""
    assert conclusions(f"{left} + {right} = {left + right}") == {left + right}


def test_of_an_endless_answer_beginning_and_end_are_read() -> None:
    """What is stated in forty thousand characters counts, wherever it stands; of a megabyte the middle is left out."""
    assert conclusions("7 " * 10_000 + "The answer is 5. " + "7 " * 10_000) == {5, 7}
    assert conclusions("7 " * 50_000 + "The answer is 5. " + "7 " * 50_000) == {7}
    assert conclusions("3 apples. " + "7 " * 50_000 + "So the answer is 5. " + "x " * 10_000) == {5}
