"""The code blocks of README and of the documentation, each with its language."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt

import pytest_forgetting

ROOT = Path(__file__).parents[2]
HOME = Path(pytest_forgetting.__file__).parents[1]
"""Where the package under test is imported from: the checkout, or an installed wheel."""
PAGES = ("README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
PROGRAMS = ("pytest", "make", "pip", "git", "python", ".", "vllm", "llama-server", "transformers", "lm_eval")
"""A block that begins with one of them, and has no language, is a shell's."""


class Block(NamedTuple):
    """A fenced or indented block."""

    page: str
    line: int
    """1-based, of the block's beginning."""
    language: str
    """As the fence says, else told by the first words; `output` where they are no code."""
    title: str
    """The file that it is, by its fence or its first line; empty: none."""
    text: str

    @property
    def place(self) -> str:
        """``docs/page.md:12``."""
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> Iterator[tuple[list[str], str]]:
        """The words of each command of a shell block, and what it is shown to print."""
        joined = self.text.replace("\\\n", " ")
        if self.language == "console":
            for part in re.split(r"^\$ ", joined, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                yield shlex.split(command, comments=True), output
        else:
            for line in joined.splitlines():
                if words := shlex.split(line, comments=True):
                    yield words, ""


def blocks(page: str) -> list[Block]:
    """All blocks of a page, in its order."""
    tokens = MarkdownIt().parse((ROOT / page).read_text(encoding="utf-8"))
    return [
        Block(page, (token.map or [0])[0] + 1, *told(token.info, token.content), token.content)
        for token in tokens
        if token.type in ("fence", "code_block")
    ]


def told(info: str, text: str) -> tuple[str, str]:
    """The language of a block and the file that it is, by its fence or its first line."""
    language, _, rest = info.partition(" ")
    title = re.search(r'title="([^"]+)"', rest) or re.match(r"# (\S+\.yaml)$", text, re.MULTILINE)
    return language or _guessed(text), title[1] if title else ""


def _guessed(text: str) -> str:
    first = text.split(maxsplit=1)[0]
    if first == "$":
        return "console"
    if first in ("from", "import"):
        return "python"
    if re.search(r"^forgetting: \w+$", text, re.MULTILINE):
        return "yaml"
    return "sh" if first in PROGRAMS else "output"
