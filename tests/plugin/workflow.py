"""What a run prints for GitHub Actions."""

import pytest

SILENT = ("-p", "no:pytest_github_actions_annotate_failures")
"""Without the other plugin, which the tests have installed."""


def commands(result: pytest.RunResult) -> list[str]:
    """The workflow commands among the printed lines, of both streams."""
    return [line for line in (*result.outlines, *result.errlines) if line.startswith("::")]
