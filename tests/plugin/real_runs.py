"""The gate on tiny real models, as a user would run it, with its report."""

from math import isclose
from typing import Any

import pytest

from pytest_forgetting.answers.recorded_rows import DECIMALS
from tests.reports import read_report

PAIR = ("--model=./tuned", "--baseline=./base")


def run(pytester: pytest.Pytester, *options: str, suite: str = "s.yaml") -> tuple[pytest.RunResult, dict[str, Any]]:
    """Run the gate; its report where one was written. Workers get a process of their own, and so does their run."""
    report = pytester.path / "report.json"
    report.unlink(missing_ok=True)
    own = ("--forgetting-store", "store", "--device", "cpu", "-p", "no:randomly")
    # In a process of its own every run would import torch and transformers again, for seconds.
    start = pytester.runpytest_subprocess if "-n" in options else pytester.runpytest_inprocess
    result = start(*options, suite, *own, "--forgetting-report", "report.json")
    return result, read_report(report) if report.exists() else {}


def rounded(value: Any) -> Any:
    """Numbers as recordings hold them, wherever they stand in a JSON value."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return round(value, DECIMALS) if isinstance(value, float) else value


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; sums of many logits as far as float32 goes, as batches round otherwise."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    floats = isinstance(one, float) and isinstance(other, float)
    return isclose(one, other, rel_tol=1e-5, abs_tol=1e-6) if floats else bool(one == other)
