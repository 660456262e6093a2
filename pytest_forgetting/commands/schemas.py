"""``pytest --forgetting-schema``: the published JSON Schemas of suites and of reports."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any


def report_schema() -> dict[str, Any]:
    """The schema of reports in JSON; ``$defs/case`` in it is that of a line of a report in JSON Lines."""
    text = resources.files("pytest_forgetting.reporting").joinpath("report.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def own_suite_schema() -> dict[str, Any]:
    """The schema of suites, with the checks that conftest files have registered so far."""
    from pytest_forgetting.grading.registry import registered_checks
    from pytest_forgetting.suites.json_schema import suite_schema

    return suite_schema(sorted(registered_checks()))


def print_schema(what: str) -> int:
    """Print the schema of ``suite`` or ``report`` and nothing else.

    Returns:
        pytest's exit code, 0.
    """
    print(json.dumps(report_schema() if what == "report" else own_suite_schema(), indent=1))
    return 0
