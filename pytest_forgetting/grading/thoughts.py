"""Telling what a model thinks aloud from what it answers."""

from __future__ import annotations

OPEN, CLOSE = "<think>", "</think>"
"""What stands around thoughts, as the templates of Qwen3, DeepSeek-R1 and their kin write it."""


def without_thoughts(text: str) -> str:
    """The answer behind the thoughts, without the blank lines between the two; all of `text` where there are none.

    A chat template may open the thoughts at the prompt's end: then `text` has only where they end.
    """
    _, close, answer = text.partition(CLOSE)
    return answer.lstrip() if close else text
