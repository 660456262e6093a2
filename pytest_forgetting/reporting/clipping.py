"""Text of others, such as answers and names, in one line of ours: clipped, and unable to command a terminal."""

from __future__ import annotations

from pytest_forgetting.errors import uncommanding

SHOWN_CHARACTERS = 70
"""Of an answer, in the list."""
SENTENCE_CHARACTERS = 1000
"""Of what a check says, which may quote its value."""
NAME_CHARACTERS = 200
"""Of the name of a suite, a category or a model."""


def clipped(text: str, width: int = SHOWN_CHARACTERS) -> str:
    """One line of at most `width` characters in which nothing can command a terminal."""
    line = " ".join(harmless(text[: 10 * width]).split())
    if len(line) <= width:  # else the rest of a megabyte need not be looked at
        line = " ".join(harmless(text).split())
    return line if len(line) <= width else line[: width - 1] + "…"


def harmless(text: str) -> str:
    """Without what could command a terminal or a CI server: files of models and their tokens may hold anything."""
    return uncommanding("".join(char if char.isprintable() else " " for char in text))


def shown_name(name: str) -> str:
    """A name as tables and lines show it: a suite's may be pages long, and begin a line as commands to GitHub do."""
    shown = clipped(name, NAME_CHARACTERS)
    return f": {shown[1:]}" if shown.startswith("::") else shown
