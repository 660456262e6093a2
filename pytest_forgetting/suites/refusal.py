"""How a suite is refused: a line for each finding, of which none is endless and none commands a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_forgetting.errors import SuiteError, escaped

LONGEST = 1000
"""Characters of a finding: keys and values may be megabytes."""
MOST_FINDINGS = 50
"""Told of one file."""


def refusal(findings: Sequence[str]) -> SuiteError:
    """The error that tells `findings`, whatever keys and names hold; the last line counts those left out."""
    more = len(findings) - MOST_FINDINGS
    lines = [_one_line(each) for each in findings[:MOST_FINDINGS]]
    return SuiteError("\n".join(lines if more <= 0 else [*lines, f"and {more} more findings"]))


def _one_line(finding: str) -> str:
    told = escaped(finding[: LONGEST + 1])  # which may be several times as long
    return told if len(told) <= LONGEST else told[: LONGEST - 1] + "…"
