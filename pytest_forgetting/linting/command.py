"""``pytest --forgetting-lint``: what is odd about suites, a line each."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_forgetting.errors import ForgettingError, SuiteError
from pytest_forgetting.linting.lint import lint

if TYPE_CHECKING:
    import pytest


def lint_named(config: pytest.Config) -> int:
    """Print the findings on the suites that the command line names, or that lie where pytest would look.

    Returns:
        pytest's exit code: 0 where nothing is odd, 1 where something is, 2 where a suite cannot be read, 4 where a path
        names nothing.
    """
    from pytest_forgetting.options import chosen

    here = config.invocation_params.dir
    paths = [_shown(here / argument.partition("::")[0]) for argument in config.args]
    data = [_shown(here / each) for each in chosen(config, "training-data") or ()]
    try:
        findings = lint(paths, data, allow_python=chosen(config, "allow-python") in (True, "true"))
    except ForgettingError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 2 if isinstance(error, SuiteError) else 4
    for finding in findings:
        print(finding)
    many = f"{len(findings)} finding{'s' * (len(findings) != 1)}"
    print(f"{many} in {', '.join(map(str, paths))}" + ("" if data else "; no training data named"))
    return 1 if findings else 0


def _shown(path: Path) -> Path:
    """As a person in this folder would write it."""
    return Path(os.path.relpath(path))
