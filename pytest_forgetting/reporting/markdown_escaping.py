"""Escaping for Markdown: whatever text of models and of files holds, it stays text.

It stands in code, of which neither Markdown nor GitHub makes anything: no markup, link, image or HTML, no @name,
#number or :emoji:. A backslash would hold off the former only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_forgetting.reporting.clipping import clipped

SHOWN_CHARACTERS = 200
"""Of an answer or a prompt."""
SENTENCE_CHARACTERS = 1000
"""Of a finding or an advice."""
_PIPE = "&#124;"
"""A bar that ends no table cell."""
_WORD = re.compile(r"(?![a-f]{7,})[^\W\d_]+(?:[-'’][^\W\d_]+)*|[-+−±]?\d{1,6}(?:[.,–…]\d{1,6})*%?")
"""What stands for nothing but itself: words of letters, and numbers too short for a commit."""
_AROUND = re.compile(r"""([("']*)(.*?)([)"'.,;:!?]*)""", re.DOTALL)
_SIGNS = re.compile(r"[^\w\s]{1,3}")


def code(text: str, width: int = SHOWN_CHARACTERS) -> str:
    """One line of `text` as code, of at most `width` characters; nothing where it is blank."""
    # Table cells end at every bar, in code too, and which backslash would save one depends on what stands before it.
    return _PIPE.join(_span(part) if part else "" for part in clipped(text, width).split("|"))


def _span(text: str) -> str:
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    # A blank at each end belongs to the fence, unless there is nothing but blanks.
    parted = text[0] == "`" or text[-1] == "`" or (text[0] == text[-1] == " " and text.strip())
    return f"{fence} {text} {fence}" if parted else f"{fence}{text}{fence}"


def sentence(text: str) -> str:
    """One line of our own words with those of others in it, such as names and tokens: plain words stay as they are.

    It may not begin a line: a number with a full stop would begin a list.
    """
    return " ".join(_words(clipped(text, SENTENCE_CHARACTERS)))


def _words(line: str) -> Iterator[str]:
    for word in line.split():
        if _SIGNS.fullmatch(word):
            yield "".join(f"&#{ord(char)};" if char.isascii() and char != "%" else char for char in word)
            continue
        match = _AROUND.fullmatch(word)
        before, inner, after = match.groups() if match else ("", word, "")
        yield word if _WORD.fullmatch(inner) else f"{before}{code(inner)}{after}"
