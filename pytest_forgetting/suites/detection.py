"""Which files are suites. Cheap to import and to ask: every pytest session asks it of every YAML file."""

from __future__ import annotations

import re
from pathlib import Path

SUFFIXES = (".yaml", ".yml", ".jsonl")
"""Of files that can be suites."""
_HEAD_BYTES = 4096
_WORD = "forgetting"
_KEY = re.compile(rb"^(?:\xef\xbb\xbf)?[\"']?forgetting[\"']?[ \t]*:", re.MULTILINE)
_ANY_KEY = re.compile(rb"^(?:\xef\xbb\xbf)?[\"']?([A-Za-z_-]{9,11})[\"']?[ \t]*:", re.MULTILINE)


def is_suite(path: Path) -> bool:
    """Whether `path` is YAML with the top-level key ``forgetting:`` in its first 4 KiB."""
    return path.suffix in (".yaml", ".yml") and _KEY.search(_head(path)) is not None


def is_misspelt_suite(path: Path) -> bool:
    """Whether `path` is YAML with a top-level key that can only be meant for ``forgetting:``.

    Other case, two letters changed over, one left out or one too many: so that nobody's suite is left out in silence.
    """
    if path.suffix not in (".yaml", ".yml"):
        return False
    keys = {key.decode().lower() for key in _ANY_KEY.findall(_head(path))}
    return any(_is_near(key) for key in keys)


def _is_near(key: str) -> bool:
    if sorted(key) == sorted(_WORD):
        return sum(one != other for one, other in zip(key, _WORD, strict=True)) <= 2
    longer, shorter = sorted((key, _WORD), key=len, reverse=True)
    return any(longer[:n] + longer[n + 1 :] == shorter for n in range(len(longer)))


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError:
        return b""
