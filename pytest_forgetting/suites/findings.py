"""What is said of a suite that cannot be read: a line for each finding, of which nothing commands a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_forgetting.errors import SuiteError

LONGEST = 1000
"""Characters of a finding: keys and values may be megabytes."""


def refusal(findings: Iterable[str]) -> SuiteError:
    """The error that tells `findings`, whatever the keys and names in them hold."""
    return SuiteError("\n".join(map(_one_line, findings)))


def _one_line(finding: str) -> str:
    line = finding if len(finding) <= LONGEST else finding[: LONGEST - 1] + "…"
    if line.isprintable():
        return line
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in line)
