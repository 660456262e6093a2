"""What a model thinks aloud is no part of its answer."""

import pytest

from pytest_forgetting.grading.thoughts import without_thoughts


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<think>Hm.</think>\n\nParis \n", "Paris \n"),
        ("Hm.</think>Paris", "Paris"),
        ("<think>Hm.</think>a</think>b", "a</think>b"),
        ("<think>Hm.", "<think>Hm."),
        (" Paris", " Paris"),
    ],
)
def test_the_answer_stands_behind_the_first_end_of_thoughts(text: str, answer: str) -> None:
    """Without the blanks between the two; where no thoughts end, all of it is the answer."""
    assert without_thoughts(text) == answer
