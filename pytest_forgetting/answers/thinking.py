"""Following a model's thoughts while it decodes: they have a budget of their own, and no stop string ends them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_forgetting.grading.thoughts import CLOSE, OPEN

_TAIL = 16
"""Tokens in which a closing tag is looked for; it has 8 characters, and a token at least one."""


@dataclass(slots=True)
class Thought:
    """Whether the tokens of one answer are thoughts; every answer may begin with some."""

    budget: int
    """Most tokens of thoughts."""
    opened: bool = False
    """Whether the prompt ends with the opening tag."""
    tokens: int = 0
    """How many of the answer's tokens are thoughts, once they have ended."""
    _state: str = "before"
    _blank: int = 0
    """How many tokens at the beginning show nothing but blanks: an answer may consist of them."""

    def __post_init__(self) -> None:
        """Begin where the prompt ends."""
        self.begin_anew()

    def begin_anew(self) -> None:
        """Nothing was said yet."""
        self.tokens, self._state, self._blank = 0, "within" if self.opened else "before", 0

    def goes_on(self, new: Sequence[int], text_of: Callable[[Sequence[int]], str]) -> bool:
        """Whether the thoughts have not ended with the last of the tokens `new`; called with each new token."""
        if self._state == "before":
            begun = text_of(new[self._blank :]).lstrip()
            if not begun:
                self._blank = len(new)
            elif begun.startswith(OPEN):
                self._state = "within"
            elif not OPEN.startswith(begun):
                self._state = "after"
        if self._state == "within" and CLOSE in text_of(new[-_TAIL:]):
            self._state, self.tokens = "after", len(new)
        return self._state == "within"
