"""Where two answers differ."""

from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.reporting.html_report.word_diff import GAINED, LOST, SAME, WordDiff

TEXTS = st.text(alphabet=st.sampled_from("ab .\n首都é"), max_size=60)


def changes(had: str, has: str) -> list[str]:
    """The pieces of both."""
    return WordDiff().changes(had, has)


@given(TEXTS, TEXTS)
def test_the_pieces_make_up_both_texts(had: str, has: str) -> None:
    """Nothing is lost on the way, whatever the texts."""
    pieces = changes(had, has)
    assert "".join(piece[1:] for piece in pieces if piece[0] in (SAME, LOST)) == had
    assert "".join(piece[1:] for piece in pieces if piece[0] in (SAME, GAINED)) == has


def test_only_the_words_that_changed_are_marked() -> None:
    """Whole words, and signs by themselves."""
    had, has = "Paris is the capital of France.", "Rome is the capital of France"
    assert changes(had, has) == ["-Paris", "+Rome", "= is the capital of France", "-."]


def test_equal_texts_are_one_piece() -> None:
    """And no text is none."""
    assert changes("Paris, of course", "Paris, of course") == ["=Paris, of course"]
    assert changes("", "") == []


def test_neighbouring_changes_are_read_as_one() -> None:
    """The blank between them is no agreement."""
    assert changes("so it was red hot there", "so it was ice cold there") == [
        "=so it was ",
        "-red hot",
        "+ice cold",
        "= there",
    ]


def test_texts_with_hardly_a_word_in_common_are_not_marked_up() -> None:
    """One word of six is chance."""
    assert changes("the cat sat on a mat", "a dog ran far away today") == [
        "-the cat sat on a mat",
        "+a dog ran far away today",
    ]


def test_chinese_is_compared_by_characters() -> None:
    """It has no blanks between words."""
    assert changes("法国的首都是巴黎", "法国的首都是罗马") == ["=法国的首都是", "-巴黎", "+罗马"]


def test_a_looping_answer_is_not_matched_word_by_word() -> None:
    """Many equal words are what a match is slow at: only what both begin and end with is the same."""
    pieces = changes("yes " + "no " * 20_000, "no " + "yes no " * 20_000)
    assert len(pieces) < 5
    assert "".join(piece[1:] for piece in pieces if piece[0] != GAINED) == "yes " + "no " * 20_000


def test_comparing_ends_when_its_budget_is_spent() -> None:
    """Later texts are marked from where they begin to differ to where they end differing."""
    diff = WordDiff(pairs=60)
    had, has = "we say red and then blue or so", "we say ice and then cold or so"
    first, second = diff.changes(had, has), diff.changes(had, has)
    assert "= and then " in first
    assert second == ["=we say ", "-red and then blue", "+ice and then cold", "= or so"]
