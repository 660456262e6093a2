"""Reports in JSON, read as any reader reads them, and held against the published schema."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from pytest_forgetting.commands.schemas import report_schema

CASE = "#/$defs/case"


@cache
def _validator(ref: str) -> Draft202012Validator:
    return Draft202012Validator({"$defs": report_schema()["$defs"], "$ref": ref} if ref else report_schema())


def read_report(path: Path) -> dict[str, Any]:
    """The report in `path`, which fits the schema."""
    return fitting(path.read_text(encoding="utf-8"))


def read_cases(path: Path) -> list[dict[str, Any]]:
    """The cases of a report in JSON Lines, each of which fits the schema of a case."""
    return [fitting(line, CASE) for line in path.read_text(encoding="utf-8").splitlines()]


def fitting(text: str, ref: str = "") -> dict[str, Any]:
    """JSON that fits the schema, or the part of it at `ref`: without NaN and infinities, which only Python knows."""

    def refuse(name: str) -> float:
        raise AssertionError(f"{name} is no JSON")

    found: dict[str, Any] = json.loads(text, parse_constant=refuse)
    faults = [f"{fault.json_path}: {fault.message[:300]}" for fault in _validator(ref).iter_errors(found)]
    assert not faults, "\n".join(faults)
    return found
