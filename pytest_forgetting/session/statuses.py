"""How outcomes look in pytest: letters and words are ours, categories stay its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

_WORDS: dict[str, tuple[str, str, str]] = {
    "retained": ("passed", ".", "RETAINED"),
    "learned": ("passed", "+", "LEARNED"),
    "unknown": ("passed", "-", "UNKNOWN"),
    "measured": ("passed", "m", "MEASURED"),
    "recorded": ("passed", ".", "RECORDED"),
    "forgotten": ("xfailed", "f", "FORGOTTEN"),
    "unanswered": ("skipped", "?", "UNANSWERED"),
}


def status_of(report: pytest.TestReport | pytest.CollectReport) -> Any:
    """Category, letter and word of a report of ours; None for another's, or for a phase that says nothing."""
    properties = dict(getattr(report, "user_properties", ()))
    if report.when != "call" and not report.skipped:
        return None
    if properties.get("forgetting_verdict") == "inconclusive" and report.skipped:
        return "skipped", "i", "INCONCLUSIVE"
    outcome = properties.get("forgetting_outcome")
    if outcome is None:
        return None
    if report.failed:
        return "failed", "F", "FORGOTTEN" if outcome == "forgotten" else "FAILED"
    return _WORDS[outcome]


def is_skipped_gate(report: pytest.TestReport) -> bool:
    """Whether a gate was skipped by a marker or a hook, not for being undecided: it has not spoken."""
    spoken = "forgetting_verdict" in dict(report.user_properties)
    return report.skipped and report.nodeid.endswith("::gate") and not (spoken or hasattr(report, "wasxfail"))
