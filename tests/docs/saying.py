"""What the package can say: the fixed parts of all texts in its code."""

from __future__ import annotations

import ast
import re
from functools import cache

from tests.docs.blocks import ROOT

SHORTEST = 5
"""Characters of a part that tells anything."""


@cache
def fixed_parts() -> tuple[str, ...]:
    """The longest first."""
    found: set[str] = set()
    for path in (ROOT / "pytest_forgetting").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.update(part.strip() for part in re.split(r"\{[^{}]*\}|\n", node.value))
    return tuple(sorted((part for part in found if len(part) >= SHORTEST), key=len, reverse=True))


def share_said(line: str) -> float:
    """Which share of a line's letters stands in the fixed parts of the package's texts."""
    letters = sum(map(str.isalpha, line))
    left = line
    for part in fixed_parts():
        left = left.replace(part, "\0")
    return 1.0 if letters == 0 else 1 - sum(map(str.isalpha, left)) / letters
