"""Words and sentences counted."""

import pytest

from pytest_forgetting.grading.sentences import Sentences, count_sentences, count_words


@pytest.mark.parametrize(
    "text", ["It is sunny.", "It is sunny!\n", "  Is it sunny?  ", '"It is sunny."', "**It is sunny.**"]
)
def test_a_sentence_may_end_in_several_ways(text: str) -> None:
    """The lesson's endswith(".") failed on "!" and on a newline at the end."""
    assert count_sentences(text) == Sentences(1, 0)


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Smith met Mrs. Jones.",
        "J. K. Rowling wrote it.",
        "It is 3.5 degrees, e.g. here.",
        'He said "Go!" and left.',
        "See no. 5 for more.",
        "The U.S. President spoke.",
    ],
)
def test_not_every_stop_ends_a_sentence(text: str) -> None:
    """Abbreviations, initials, decimals and quoted exclamations do not."""
    assert count_sentences(text) == Sentences(1, 0)


@pytest.mark.parametrize(
    "text", ["It rains. It pours.", "So do I. We agree!", "Well... Yes.", "今天很好。明天也好。", "Hi!\nYou there?"]
)
def test_two_sentences_are_two(text: str) -> None:
    """A stop before a capital letter, a line's end or another script begins a new one."""
    assert count_sentences(text) == Sentences(2, 0)


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("It is sunny", Sentences(0, 1)),
        ("It is sunny. The wi", Sentences(1, 1)),
        ("Weather\n\nIt is sunny.", Sentences(1, 1)),
        ("the the the the the.", Sentences(0, 1)),
        ("the cat the cat the cat the cat.", Sentences(0, 1)),
        ("", Sentences(0, 0)),
        ("...", Sentences(0, 0)),
        ("It rains. ! It pours.", Sentences(2, 0)),
        ("... It rains.", Sentences(1, 0)),
        ("It is red. No no no no no no no.", Sentences(1, 1)),
        ("no no no.", Sentences(0, 1)),
        ("no yes no.", Sentences(1, 0)),
        ("no yes no yes no yes.", Sentences(1, 0)),
        ("no no.", Sentences(1, 0)),
    ],
)
def test_fragments_and_repetition_are_no_sentences(text: str, counted: Sentences) -> None:
    """What is broken off, a heading, or one word over and over is told apart; the lesson took it for a sentence."""
    assert count_sentences(text) == counted


def test_words_stand_between_blanks() -> None:
    """Words are counted as promptfoo counts them."""
    assert count_words("  It's a well-known\nfact.  ") == 4
    assert count_words(" \n") == 0
