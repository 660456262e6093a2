"""Whole runs in other environments, and what of their reports is to be equal."""

from __future__ import annotations

import contextlib
import locale
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import pytest_forgetting
from tests.recordings import CAPITALS, record, write_capitals
from tests.reports import read_report

HOME = Path(pytest_forgetting.__file__).parents[1]
"""Where the package under test is imported from: the checkout, or an installed wheel."""
LOCALES = ("tr_TR.utf8", "tr_TR.UTF-8", "de_DE.utf8", "de_DE.UTF-8", "fr_FR.utf8", "fr_FR.UTF-8")
"""In which months, decimal points or capital letters are others than in English."""
RECORDED = ("--model=new.json", "--baseline=old.json", "capitals.yaml")


def two_recordings(folder: Path, answers: Mapping[str, str] | None = None) -> None:
    """A suite of five capitals, of which ./new.json has forgotten two that ./old.json knew."""
    suite = write_capitals(folder)
    record(folder / "old.json", suite, CAPITALS)
    record(folder / "new.json", suite, {**CAPITALS, "Spain": "Barcelona", "Peru": "Cusco", **(answers or {})})


def run_in(
    where: Path, *arguments: str, environment: Mapping[str, str] | None = None, python: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[bytes]:
    """Run pytest in the folder `where`, in a process of its own.

    Args:
        where: the current folder.
        arguments: of pytest.
        environment: over that of this process.
        python: options of the interpreter.

    Returns:
        Its exit code, and its output as bytes, which may be in any encoding.
    """
    path = os.pathsep.join(filter(None, (str(HOME), os.environ.get("PYTHONPATH"))))
    known = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_XDIST", "LC_", "LANG"))}
    return subprocess.run(
        [sys.executable, *python, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=where,
        env={**known, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", **(environment or {})},
        capture_output=True,
        check=False,
    )


def report_of(
    where: Path, *arguments: str, environment: Mapping[str, str] | None = None, python: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Run pytest in the folder `where`; its report, less how long it took."""
    path = where / "report.json"
    path.unlink(missing_ok=True)
    done = run_in(where, *arguments, f"--forgetting-report={path}", environment=environment, python=python)
    assert done.returncode in (0, 1), (done.stdout + done.stderr).decode()
    report = read_report(path)
    del report["timing"]
    return report


def installed_locale() -> str:
    """One of `LOCALES` that this system has; where there is none the test is skipped."""
    before = locale.setlocale(locale.LC_TIME)
    for name in LOCALES:
        with contextlib.suppress(locale.Error):
            locale.setlocale(locale.LC_TIME, name)
            locale.setlocale(locale.LC_TIME, before)
            return name
    pytest.skip(f"none of the locales {', '.join(LOCALES)} is installed")
