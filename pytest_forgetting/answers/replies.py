"""What a server's JSON says: an answer, or log-likelihoods, in the forms of OpenAI, vLLM, SGLang and llama.cpp."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pytest_forgetting.answers.answer import Answer, Finish, first_part
from pytest_forgetting.grading.thoughts import CLOSE, OPEN

LONGEST = 1 << 20
"""Characters of an answer; of a longer one no limit was heeded, and grading would take minutes."""
CLIPPED = -9999.0
"""vLLM gives this for −inf, which is no JSON."""


class Malformed(Exception):
    """A reply is JSON, and not of the shape that the API has; the message says in what."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One completion."""

    text: str
    thoughts: str | None
    """What a server has told apart from the answer by itself; None where it did not."""
    finish: Finish
    missing: str | None = None
    """Why there is no text."""
    tokens: int | None = None
    """How many it has, as far as the server tells."""

    @property
    def is_amid_thoughts(self) -> bool:
        """Whether it ends before the answer has begun, or before it is known to be whole."""
        if self.thoughts:
            return self.finish == "length" or not self.text.strip()
        if not self.text.lstrip().startswith(OPEN):
            return False
        return self.finish == "length" or CLOSE not in self.text

    def answer(self, stop: Sequence[str]) -> Answer:
        """As a local model's would be: cut at the first stop string behind the thoughts, which are marked as such."""
        if self.missing is not None:
            return Answer("", "unanswered", reason=self.missing)
        before, close, text = self.text.rpartition(CLOSE) if self.thoughts is None else ("", "", self.text)
        cut = first_part(text, tuple(stop))
        if self.thoughts:
            before, close = f"{OPEN}{self.thoughts}", CLOSE
        return Answer(before + close + (text if cut is None else cut), self.finish if cut is None else "stop")


def reply_of(data: dict[str, Any], *, chat: bool) -> Reply:
    """The completion in what the server sent.

    Raises:
        Malformed: there is none.
    """
    choice = _first_choice(data)
    told = choice.get("finish_reason")
    usage = data.get("usage")
    tokens = usage.get("completion_tokens") if isinstance(usage, dict) else None
    finish: Finish = "length" if told == "length" else "stop" if _stopped_by_string(choice) else "eos"
    text, thoughts, missing = _message(choice) if chat else (choice.get("text"), None, None)
    if missing is None and told in ("content_filter", "tool_calls", "function_call"):
        missing = f"the server ended the answer with {told}"
    if text is None and missing is None and not thoughts:
        missing = "the server gave no text"
    if isinstance(text, str) and len(text) > LONGEST:
        missing = missing or f"the server's answer has {len(text):,} characters"
        text = None
    if not isinstance(text, str | None):
        raise Malformed(f"the text is a {type(text).__name__}")
    return Reply(text or "", thoughts, finish, missing, tokens if isinstance(tokens, int) else None)


@dataclass(frozen=True, slots=True)
class Scores:
    """How likely each token of a prompt is behind those before it."""

    nats: list[float | None]
    """None for the first token, of which there is none."""
    opened: bool
    """Whether that first one is a special token, which the tokenizer puts before any text."""


def token_scores(data: dict[str, Any], prompt: str) -> Scores | None:
    """Of each token of `prompt` its log-likelihood in nats.

    Servers that know of no `echo` leave it out, and give the log-likelihood of what they have added, or nothing: that
    is not taken for a score.

    Returns:
        None where the server does not give them.

    Raises:
        Malformed: the reply has no completion at all.
    """
    choice = _first_choice(data)
    told, usage, text = choice.get("logprobs"), data.get("usage"), choice.get("text")
    scores = told.get("token_logprobs") if isinstance(told, dict) else None
    count = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    echoed = isinstance(text, str) and text.startswith(prompt)
    if not isinstance(told, dict) or not isinstance(scores, list) or not echoed:
        return None
    prompted = scores[:count] if isinstance(count, int) else scores[:-1]
    known = [each for each in prompted if isinstance(each, int | float)]
    if len(scores) < len(prompted) or (isinstance(count, int) and len(prompted) < count):
        return None
    if len(prompted) - len(known) > 1 or (len(prompted) > 1 and not known):
        return None
    tokens = told.get("tokens")
    first = str(tokens[0]) if isinstance(tokens, list) and tokens else ""
    # Some servers name tokens as the vocabulary does, with a sign for the blank before a word.
    return Scores(prompted, opened=not prompt.startswith(first.lstrip("Ġ▁ ")))


def _first_choice(data: dict[str, Any]) -> dict[str, Any]:
    choices = data.get("choices")
    if not isinstance(choices, list):
        raise Malformed("there are no 'choices' in it")
    if not choices or not isinstance(choices[0], dict):
        raise Malformed("its 'choices' are empty")
    return choices[0]


def _message(choice: dict[str, Any]) -> tuple[Any, str | None, str | None]:
    """Text, thoughts, and why there is none of the former."""
    message = choice.get("message")
    if not isinstance(message, dict):
        raise Malformed("its first choice has no 'message'")
    # The latter is the newer name.
    thoughts = message.get("reasoning_content") or message.get("reasoning")
    text = message.get("content")
    missing = None
    if not text and message.get("tool_calls"):
        missing = "the server answered with a call of a tool"
    if not text and isinstance(message.get("refusal"), str):
        text = message["refusal"]
    return text, thoughts if isinstance(thoughts, str) else None, missing


def _stopped_by_string(choice: dict[str, Any]) -> bool:
    """Whether the server says so: vLLM by `stop_reason`, SGLang by `matched_stop`; a number is a token's."""
    return any(isinstance(choice.get(key), str) for key in ("stop_reason", "matched_stop"))
