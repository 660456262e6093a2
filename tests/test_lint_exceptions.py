"""Each exception from what ruff and mypy ask is for one rule, and says why: on its line, or in a comment above it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for room in ("pytest_forgetting", "tests", "benchmarks", "examples", "tools")
    for path in (ROOT / room).rglob("*.py")
)
EXCEPTION = re.compile(
    r"# (noqa|type: ignore|pyright: ignore)\b(?P<rules>(: [A-Z]+[0-9]+(, [A-Z]+[0-9]+)*|\[[\w, -]+\])?)"
)
REASON = re.compile(r"( - |  # )\S")


def unexplained(text: str) -> list[str]:
    """The lines with an exception that names no rule or has no reason."""
    found, above = [], ""
    for line in text.splitlines():
        exception = EXCEPTION.search(line)
        if exception is not None:
            said = REASON.match(line[exception.end() :]) or above.lstrip().startswith("# ")
            if not (said and exception["rules"]):
                found.append(line.strip())
        above = line
    return found


def test_each_exception_has_its_rule_and_its_reason() -> None:
    """In the package, the tests, and what lies beside them."""
    found = {file: unexplained((ROOT / file).read_text(encoding="utf-8")) for file in FILES}
    assert {file: lines for file, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("import a  # {}noqa", True),
        ("import a  # {}noqa: F401", True),
        ("import a  # {}noqa - it is needed", True),
        ("import a  # {}noqa: F401 - it is needed", False),
        ("# It is needed.\nimport a  # {}noqa: F401", False),
        ("a()  # {}type: ignore", True),
        ("a()  # {}type: ignore[misc]", True),
        ("a()  # {}type: ignore[misc]  # it has no types", False),
        ("a()  # it has no types", False),
    ],
)
def test_a_bare_exception_is_seen(line: str, missing: bool) -> None:
    """What the test above goes by."""
    assert bool(unexplained(line.format(""))) == missing


def test_exceptions_of_the_whole_project_are_explained() -> None:
    """In the tables of ruff and mypy, each stands below a comment."""
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    project = tomllib.loads("\n".join(lines))["tool"]
    assert {"ignore", "per-file-ignores"} <= project["ruff"]["lint"].keys()
    starts = ("ignore =", '"tests/**" =', "untyped_calls_exclude =", "[[tool.mypy.overrides]]")
    for start in starts:
        place = next(n for n, line in enumerate(lines) if line.startswith(start))
        assert lines[place - 1].startswith("# "), start
    assert len(project["ruff"]["lint"]["per-file-ignores"]) == len(project["mypy"]["overrides"]) == 1
