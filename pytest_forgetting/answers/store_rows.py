"""The rows of the answer store: an answer as text, and back; a checksum tells whether it is as it was written."""

from __future__ import annotations

import hashlib
import json
from typing import get_args

from pytest_forgetting.answers.answer import Answer, Finish

_ABSENT = type(None)
_KINDS: tuple[tuple[type, ...], ...] = ((str,), (str,), (list, _ABSENT), (str, _ABSENT), (list,), (float, int, _ABSENT))
"""Of the values of a row."""


def checksum(name: bytes, text: str) -> bytes:
    """What tells a row that the disk has changed from one that was written: SQLite itself has no such sums."""
    return hashlib.blake2b(name + b"\0" + text.encode(errors="surrogatepass"), digest_size=8).digest()


def unchanged(name: bytes, text: str, told: bytes) -> str:
    """`text`, once it is seen that a row under `name` has the checksum that it was written with.

    Raises:
        ValueError: it has another one.
    """
    if not isinstance(text, str) or checksum(name, text) != told:
        raise ValueError("a row is not as it was written")
    return text


def to_text(answer: Answer) -> str:
    """What a row holds of `answer`: JSON."""
    # ASCII on purpose: a lone surrogate in a model's output is no valid UTF-8, but a valid escape.
    row = [answer.text, answer.finish, answer.tokens, answer.reason, answer.loglikelihoods, answer.gap]
    return json.dumps(row, separators=(",", ":"))


def answer_in(text: str) -> Answer:
    """The answer in a row.

    Raises:
        ValueError: the row is damaged.
    """
    row = json.loads(text) if isinstance(text, str) else None
    if not isinstance(row, list) or not 4 <= len(row) <= len(_KINDS):
        raise ValueError("a row holds no answer")
    if not all(map(isinstance, row, _KINDS)) or row[1] not in get_args(Finish):
        raise ValueError("a row holds an answer of odd values")
    words, finish, tokens, reason, *later = row
    scores, gap = later or ((), None)  # rows of earlier versions end before these
    return Answer(words, finish, None if tokens is None else tuple(tokens), reason, tuple(scores), gap)
