"""One model's answer to one prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Finish = Literal["eos", "stop", "length", "unanswered"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said, and how it came to an end."""

    text: str
    """Everything up to the stop string or the token limit, the stop string itself left out."""
    finish: Finish
    tokens: tuple[int, ...] | None = None
    """The generated token ids, None where they are not known (a recording, a server)."""
    reason: str | None = None
    """Why there is no answer; set exactly when `finish` is "unanswered"."""
