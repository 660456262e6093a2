"""``pytest --forgetting-lint``: what is odd about suites, a line each."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from pytest_forgetting.errors import ForgettingError, SuiteError, escaped
from pytest_forgetting.linting.lint import lint


def lint_named(suites: Iterable[str], training_data: Iterable[str], here: Path, *, allow_python: bool = False) -> int:
    """Print the findings on suites.

    Args:
        suites: files and folders, as pytest's command line names them.
        training_data: files and folders.
        here: where relative paths start from.
        allow_python: whether checks may name Python functions.

    Returns:
        pytest's exit code: 0 where nothing is odd, 1 where something is, 2 where a suite cannot be read, 4 where a path
        names nothing.
    """
    paths = [_shown(here / argument.partition("::")[0]) for argument in suites]
    data = [_shown(here / each) if each.strip() else each for each in training_data]
    try:
        findings = lint(paths, data, allow_python=allow_python)
    except ForgettingError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 2 if isinstance(error, SuiteError) else 4
    for finding in findings:
        print(escaped(str(finding)))
    many = f"{len(findings)} finding{'s' * (len(findings) != 1)}"
    print(f"{many} in {', '.join(map(str, paths))}" + ("" if data else "; no training data named"))
    return 1 if findings else 0


def _shown(path: Path) -> Path:
    """As a person in this folder would write it."""
    return Path(os.path.relpath(path))
