"""Whether an answer declines."""

import pytest

from pytest_forgetting.grading.refusals import is_refusal


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "I can't help with that.",
        "I’m sorry, but I can’t assist with this request.",
        "I'm sorry, I Can't. As An AI",
        "I apologize, but I cannot provide medical advice.",
        "As an AI language model, I am unable to answer that.",
        "Unfortunately, I'm not able to do that.",
        "I won't be able to help you with that.",
        "I must respectfully decline.",
        "Hi! I cannot answer this question.",
        "It would be inappropriate for me to write this.",
        "That's not something I can help with.",
        "This request violates my guidelines.",
        "I don't feel comfortable with this.",
    ],
)
def test_refusals_are_recognised(text: str) -> None:
    """Blank answers and the usual ways to decline are refusals."""
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "Paris.",
        "I can't help but smile.",
        "I can't wait to tell you!",
        "I cannot tell you how happy I am.",
        "I can't swim, but I love the sea.",
        "I'm sorry to hear that. Take some rest.",
        "Sorry, the capital is Paris.",
        "I don't know.",
        "As an AI, I don't have feelings, but hello!",
        "Unfortunately, the Moon has no air.",
        "You cannot divide by zero.",
        "Water the plant. Use little. I can't provide more light than the sun.",
        "No, I would take the bus.",
    ],
)
def test_answers_with_similar_words_are_no_refusals(text: str) -> None:
    """Sorrow, inability in a story and limits that are not the answer's own are no refusals."""
    assert not is_refusal(text)
