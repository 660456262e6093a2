"""A run on GitHub Actions: what pytest's hooks have to do with `reporting.github`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from pytest_forgetting.session.run import ForgettingRun

ANNOTATING = "pytest_github_actions_annotate_failures"
"""Another plugin, which annotates our items as it does all others."""


def on_github() -> bool:
    """Whether this process runs in a workflow of GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


class GitHubActions:
    """Registered beside the run, except in a worker of xdist."""

    def __init__(self, run: ForgettingRun) -> None:
        """Tell what `run` finds out."""
        self._run = run
        self._note: str | None = None

    def pytest_sessionfinish(self) -> None:
        """Append to the summary of the step; the run comes first and has compared by now."""
        path = os.environ.get("GITHUB_STEP_SUMMARY")
        if not path or self._run.comparison is None:
            return
        from pytest_forgetting.reporting.github import append_summary

        try:
            self._note = append_summary(self._run.comparison, Path(path))
        except OSError as error:
            self._note = f"could not write the step's summary {path}: {error.strerror}"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        """Annotate what failed, unless somebody does already, and say what became of the summary."""
        if self._note is not None:
            terminalreporter.write_line(f"forgetting: warning: {self._note}", yellow=True)
        if self._run.comparison is None or config.pluginmanager.has_plugin(ANNOTATING):
            return
        from pytest_forgetting.reporting.github import annotation_lines

        workspace = Path(os.environ.get("GITHUB_WORKSPACE") or config.rootpath)
        for line in annotation_lines(self._run.comparison, workspace):
            terminalreporter.write_line(line)
