"""Suites whose cases come from datasets, in a whole run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from pytest_forgetting.comparison.participants import Finding
from pytest_forgetting.session.notices import notices
from pytest_forgetting.session.selection import Selection
from pytest_forgetting.settings import Settings
from pytest_forgetting.suites.cases import DatasetRead, Suite
from tests.recordings import record

SUITE = "forgetting: qa\nsource: {dataset: data, fields: {question: q, correct_answer: a}}\n"


def test_the_report_says_what_was_read(tmp_path: Path) -> None:
    """Dataset, config, split and revision; cases stand at the line that names it."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.csv").write_text("q,a\nCapital of France?,Paris\nCapital of Peru?,Lima\n")
    (tmp_path / "s.yaml").write_text(SUITE)
    # Not by pytester, which would forget pyarrow's modules again: they do not bear being imported anew.
    record(tmp_path / "old.json", tmp_path / "s.yaml", {})
    asked = ("--model=old.json", "--baseline=old.json", "--forgetting-report=r.json", "s.yaml")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *asked]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["suites"][0]["datasets"] == [{"name": "data", "config": None, "split": "train", "revision": None}]
    assert len(report["cases"]) == 2
    assert "not pinned" not in result.stdout


def test_a_dataset_that_may_change_is_told() -> None:
    """With the commit that was read, to be taken over."""
    read = DatasetRead("org/name", None, "test", "0a1b", pinned=False, line=4)
    suite = Suite(Path("s.yaml"), "s", "qa", (), nodeid="s.yaml", datasets=(read,))
    selection = Selection()
    selection.take(suite, ())
    findings: list[Finding] = []
    assert list(notices(selection, Settings(model="m"), findings)) == [
        "forgetting: s.yaml:4: org/name is not pinned: add revision: 0a1b to keep its cases as they are now"
    ]


def test_a_hub_that_cannot_be_reached(tmp_path: Path) -> None:
    """One line at the place that names the dataset."""
    (tmp_path / "s.yaml").write_text("forgetting: qa\nsource: {dataset: org/name}\n")
    code = "from pytest_forgetting import load_suite; load_suite('s.yaml')"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    last = result.stderr.strip().splitlines()[-1]
    assert "SuiteError: s.yaml:2:19: " in last
    assert "org/name" in last
