"""What is made of a server's JSON."""

from typing import Any

import pytest

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.replies import LONGEST, Malformed, reply_of, token_scores


def chat(content: Any = "Paris", finish: str = "stop", **message: Any) -> dict[str, Any]:
    """A chat completion."""
    return {"choices": [{"message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}]}


def text(content: Any = "Paris", finish: str | None = "stop", **choice: Any) -> dict[str, Any]:
    """A plain completion."""
    return {"choices": [{"text": content, "finish_reason": finish, **choice}]}


@pytest.mark.parametrize(
    ("data", "finish"),
    [
        (text(), "eos"),
        (text(finish="length"), "length"),
        (text(stop_reason="\n"), "stop"),  # vLLM
        (text(stop_reason=151645), "eos"),  # vLLM: a token's number
        (text(matched_stop="\n"), "stop"),  # SGLang
        (text(finish=None), "eos"),
    ],
)
def test_how_an_answer_ended(data: dict[str, Any], finish: str) -> None:
    """As far as the server says."""
    # A literal, by parameter.
    assert reply_of(data, chat=False).answer(()) == Answer("Paris", finish)  # type: ignore[arg-type]


def test_a_stop_string_that_was_left_in_is_cut_off() -> None:
    """`transformers serve` leaves it."""
    assert reply_of(text("Paris\nand"), chat=False).answer(("\n",)) == Answer("Paris", "stop")


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_thoughts_that_the_server_told_apart(key: str) -> None:
    """They are marked as a model marks them, so that `--think keep` grades them; stop strings end the answer only."""
    reply = reply_of(chat("Paris\nQ", **{key: "Hm.\nFrance"}), chat=True)
    assert reply.answer(("\n",)) == Answer("<think>Hm.\nFrance</think>Paris", "stop")


def test_thoughts_within_the_text() -> None:
    """Without a parser on the server they stand before the answer."""
    reply = reply_of(chat("<think>a\nb</think>\nParis"), chat=True)
    assert reply.answer(("\nQ",)) == Answer("<think>a\nb</think>\nParis", "eos")


@pytest.mark.parametrize(
    "data",
    [
        chat("<think>I wonder", "length"),
        chat("<think>I wonder", "stop"),  # a stop string has ended it
        chat("<think>I wonder</think>Par", "length"),
        chat(None, "length", reasoning_content="I wonder"),
        chat("", "stop", reasoning="I wonder"),
        chat("Par", "length", reasoning_content="I wonder"),
    ],
)
def test_answers_that_thoughts_have_used_up(data: dict[str, Any]) -> None:
    """They have a budget of their own, so that more is asked for."""
    assert reply_of(data, chat=True).is_amid_thoughts


@pytest.mark.parametrize("data", [chat(), chat("a <think> tag"), chat("", "length"), chat("<think>a</think>b")])
def test_answers_that_are_whole(data: dict[str, Any]) -> None:
    """An answer that is short by its own limit is one."""
    assert not reply_of(data, chat=True).is_amid_thoughts


def test_a_refusal_is_an_answer() -> None:
    """In words of its own, which checks of refusals read."""
    assert reply_of(chat(None, refusal="I cannot help."), chat=True).answer(()).text == "I cannot help."


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (chat(None, tool_calls=[{"id": "1"}]), "the server answered with a call of a tool"),
        (chat("", "content_filter"), "the server ended the answer with content_filter"),
        (chat(None), "the server gave no text"),
    ],
)
def test_what_is_no_answer(data: dict[str, Any], why: str) -> None:
    """It is told, and graded by nobody."""
    assert reply_of(data, chat=True).answer(()) == Answer("", "unanswered", reason=why)


@pytest.mark.parametrize("data", [{}, {"choices": None}, {"choices": []}, {"choices": ["x"]}, text(), chat(["part"])])
def test_other_shapes_are_no_replies(data: dict[str, Any]) -> None:
    """JSON, but not the API's."""
    with pytest.raises(Malformed):
        reply_of(data, chat=True)


def scored(*nats: float | None, prompt: int | None, said: str = "a b!", first: str = "a") -> dict[str, Any]:
    """A completion with log-probabilities, as vLLM gives it."""
    logprobs = {"token_logprobs": list(nats), "tokens": [first, *" b!"][: len(nats)]}
    return {**text(said, logprobs=logprobs), "usage": {"prompt_tokens": prompt, "completion_tokens": 1}}


def test_scores_are_those_of_the_prompt() -> None:
    """The token that was added behind it is left out, by the server's count or as the last one."""
    assert token_scores(scored(None, -1.0, -2.0, prompt=2), "a b") is not None
    for told in (scored(None, -1.0, -2.0, prompt=2), scored(None, -1.0, -2.0, prompt=None)):
        found = token_scores(told, "a b")
        assert found is not None
        assert (found.nats, found.opened) == ([None, -1.0], False)


def test_a_special_token_in_front_is_known() -> None:
    """It is no part of the text."""
    found = token_scores(scored(None, -1.0, -2.0, prompt=2, first="<s>"), "a b")
    assert found is not None
    assert found.opened


@pytest.mark.parametrize(
    "data",
    [
        scored(-0.5, prompt=2),  # of the added token alone, as llama.cpp gives it
        scored(-0.5, prompt=2, said="!"),  # and without the prompt
        scored(None, None, None, prompt=2),
        scored(None, -1.0, prompt=3),
        text("a b!", logprobs=None),
        text("a b!", logprobs={"content": [{"token": "a", "logprob": -1.0}]}),
    ],
)
def test_what_is_no_score_of_the_prompt(data: dict[str, Any]) -> None:
    """Summed up, it would make all choices equally likely."""
    assert token_scores(data, "a b") is None


def test_an_endless_text_is_no_answer() -> None:
    """Grading would take minutes; what the server was told to stop at, it did not heed."""
    reply = reply_of({"choices": [{"text": "x" * (LONGEST + 1), "finish_reason": "stop"}]}, chat=False)
    assert reply.answer(()).finish == "unanswered"
    assert "characters" in str(reply.answer(()).reason)
