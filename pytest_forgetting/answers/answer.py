"""One model's answer to one request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Finish = Literal["eos", "stop", "length", "scored", "unanswered"]
NOT_NUMBERS = "the model's logits are not numbers (NaN)"
IMPOSSIBLE = "the model holds a token of it impossible (a logit of −inf)"
"""Reasons for no answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said, and how it came to an end; or how likely it holds what it was asked to score."""

    text: str
    """Everything up to the stop string or the token limit, the stop string itself left out."""
    finish: Finish
    tokens: tuple[int, ...] | None = None
    """The generated token ids, None where they are not known (a recording, a server)."""
    reason: str | None = None
    """Why there is no answer; set exactly when `finish` is "unanswered"."""
    loglikelihoods: tuple[float, ...] = ()
    """Of each text that was to be scored, in nats; set exactly when `finish` is "scored"."""
    gap: float | None = field(default=None, compare=False)
    """The least distance between the likeliest token and the next, in logits: where it is tiny, rounding decides.

    None where it is not known, and for answers that were drawn.
    """


def first_part(text: str, stop: tuple[str, ...]) -> str | None:
    """What stands before the first stop string, None where none has come yet."""
    ends = [found for found in (text.find(string) for string in stop) if found >= 0]
    return text[: min(ends)] if ends else None
