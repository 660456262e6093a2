"""What exactly a model is asked, and under which conditions: the content that addresses an answer in the store."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pytest_forgetting.suites.cases import THINK_TOKENS

if TYPE_CHECKING:
    from pytest_forgetting.suites.cases import Prompt

ANSWER_VERSION = 3
"""Raised when decoding itself changes, so that answers of older versions are not taken for new ones."""


@dataclass(frozen=True, slots=True)
class Draw:
    """Which of a model's possible answers is wanted, where it is to be drawn instead of the likeliest."""

    temperature: float
    number: int
    """Counts the answers drawn to one prompt; each number always draws the same."""


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt in the form that one model is asked it, and what is wanted of the model: an answer, or scores."""

    text: str | None
    """The plain text, None where the model is asked through its chat template."""
    messages: tuple[tuple[str, str], ...]
    """(role, content) turns; empty for plain text."""
    stop: tuple[str, ...] = ()
    max_new_tokens: int = 0
    draw: Draw | None = None
    """None: the greedy answer."""
    continuations: tuple[str, ...] = ()
    """Texts whose log-likelihood behind the prompt is wanted, in the place of an answer."""
    think_tokens: int = THINK_TOKENS
    """Most tokens of thoughts before the answer proper."""

    @property
    def shown(self) -> str:
        """The prompt as a person reads it in reports; a text without one is shown itself."""
        if self.text == "" and self.continuations:
            return self.continuations[0]
        if self.text is not None:
            return self.text
        if len(self.messages) == 1:
            return self.messages[0][1]
        return "\n".join(f"{role}: {content}" for role, content in self.messages)

    def content(self) -> list[Any]:
        """The request as plain JSON values, for hashing and for recordings; what is not asked for is left out."""
        prompt = self.text if self.text is not None else [list(turn) for turn in self.messages]
        return [prompt, list(self.stop), self.max_new_tokens, *self._special()]

    def _special(self) -> list[Any]:
        if self.continuations:
            return [{"continuations": list(self.continuations)}]
        drawn = [] if self.draw is None else [asdict(self.draw)]
        return drawn if self.think_tokens == THINK_TOKENS else [*drawn, {"think_tokens": self.think_tokens}]


def requests_for(prompt: Prompt, *, chat: bool) -> tuple[Request, ...]:
    """All that one model is asked for one case, in the form that fits: messages where there is a chat template.

    Args:
        prompt: in both forms.
        chat: whether the model is asked through a chat template.
    """
    chat = chat and bool(prompt.messages)
    text = None if chat else prompt.text
    turns = tuple((message.role, message.content) for message in prompt.messages) if chat else ()
    if prompt.continuations:
        # A chat template ends where the answer begins; behind plain text the delimiter stands between the two.
        lead = "" if chat else prompt.delimiter
        return (Request(text, turns, continuations=tuple(lead + each for each in prompt.continuations)),)
    stop = prompt.chat_stop if chat else prompt.text_stop
    greedy = Request(text, turns, stop, prompt.max_new_tokens, think_tokens=prompt.think_tokens)
    if prompt.temperature == 0:
        return (greedy,)
    return tuple(replace(greedy, draw=Draw(prompt.temperature, number)) for number in range(prompt.samples))


def scored(request: Request, text: str) -> Request:
    """What asks how likely a model holds `text` for an answer to `request`."""
    return Request(request.text, request.messages, continuations=(text,))


def scored_behind(request: Request, text: str) -> Request:
    """The same for an answer without the blank that plain text such as ``Answer:`` needs before it."""
    joined = request.text is not None and not request.text[-1:].isspace()
    return scored(request, f" {text}" if joined else text)


def seed_of(request: Request, draw: Draw) -> bytes:
    """What decides one sample: the prompt and the sample's number, and nothing else; 32 bytes."""
    prompt = request.text if request.text is not None else request.messages
    seed = json.dumps([prompt, draw.number], ensure_ascii=True)
    return hashlib.sha256(seed.encode("ascii")).digest()


@dataclass(frozen=True)
class Conditions:
    """Everything beside the request that an answer depends on."""

    fingerprint: str
    """Of weights, adapter and tokenizer."""
    chat_template: str | None
    chat_template_kwargs: dict[str, Any] = field(default_factory=dict)
    dtype: str = "float32"
    device_type: str = "cpu"
    attention: str = "sdpa"
    quantization: str = "none"
    versions: dict[str, str] = field(default_factory=dict)
    """Of the libraries that compute it, by name: a defect mended in one of them can change an answer."""

    def digest(self) -> bytes:
        """A hash over all of it, computed once per side and mixed into every key."""
        return digest_of([ANSWER_VERSION, asdict(self)])


def key(conditions_digest: bytes, request: Request) -> bytes:
    """The store's address of the answer to `request` under the conditions hashed in `conditions_digest`."""
    return digest_of([conditions_digest.hex(), request.content()])


def digest_of(value: object) -> bytes:
    """SHA-256 over plain JSON values."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).digest()
