"""What docs/reliability.md counts, counted again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from math import prod
from pathlib import Path

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make

from tests.docs.blocks import ROOT

PAGE = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
KINDS = {
    "broken YAML": "broken_yaml",
    "keys of a suite": "suite_keys",
    "cases": "cases_of_suites",
    "checks": "checks_of_cases",
    "files of cases": "sources_of_cases",
    "command lines": "command_lines",
    "recordings": "recorded",
    "folders": "folders",
    "models that do not load": "test_bad_models",
}
"""How the page's row for each table of `tests/bad_input/` begins."""
LISTS = {"bad input": "Bad input", "faults": "Faults", "fuzzing": "Fuzzing", "attacks": "Attacks"}
CONTROLS = {
    *(
        "test_usual_patterns_are_taken",
        "test_stars_elsewhere_are_no_powers",
    ),
    *("test_a_run_within_the_folder_is_the_users_own", "test_the_users_own_links_are_followed"),
    *("test_a_packed_answer_is_an_answer", "test_short_keys_are_words"),
}
"""Tests in files of attacks that what is usual still works."""
EXAMPLES = re.compile(r"@tiers\(\d+(?:, (\d+))?\)")


def section(name: str) -> str:
    """What stands below a heading."""
    return PAGE.split(f"\n## {name}\n")[1].split("\n## ")[0]


def rows(text: str, head: str = ".*") -> list[list[str]]:
    """The cells of the table with this head."""
    table = re.search(rf"^\| {head} \|\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert table is not None, head
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table[1].splitlines()]


def row(text: str, beginning: str, head: str = ".*") -> list[str]:
    """The other cells of the one row that begins like this."""
    [found] = [cells[1:] for cells in rows(text, head) if cells[0].startswith(beginning)]
    return found


def summary(kind: str) -> list[str]:
    """What the first table says of a kind: tried, found, mended."""
    return row(PAGE, f"[{kind}]")


def number(cell: str) -> int:
    """What a cell begins with: a number, a sum, a product; nothing is 0."""
    sums = re.match(r"[\d,×+ ]*", cell)
    parts = sums[0].replace(",", "").split("+") if sums else []
    return sum(prod(map(int, part.split("×"))) for part in parts if part.strip())


def made_of(path: Path) -> Iterator[tuple[str, int, bool]]:
    """Each test function of a file: its name, how many tests pytest makes of it, whether all of them are slow."""
    module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for name, function in vars(module).items():
        if name.startswith("test_") and getattr(function, "__module__", "") == module.__name__:
            marks = getattr(function, "pytestmark", [])
            made = prod(len(mark.args[1]) for mark in marks if mark.name == "parametrize")
            yield name, made, any(mark.name == "slow" for mark in marks)


def collected(*paths: str) -> list[str]:
    """All tests there, of both tiers, as pytest names them; fixtures multiply some."""
    command = (sys.executable, "-P", "-m", "pytest", "--co", "-q", "-m", "slow or not slow", *paths)
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if "::" in line]


# What needs torch to be imported is counted in the slow tier.
@pytest.mark.parametrize(
    ("beginning", "name"),
    [pytest.param(*each, marks=[pytest.mark.slow] if each[1].startswith("test_") else []) for each in KINDS.items()],
)
def test_bad_inputs_are_as_many_as_rows(beginning: str, name: str) -> None:
    """Those of the table, and the tests of models."""
    path = ROOT / f"tests/bad_input/{name}.py"
    if name.startswith("test_"):
        made = sum(count for _, count, _ in made_of(path))
    else:
        made = len(import_module(f"tests.bad_input.{name}").ROWS)
    assert number(row(section("Bad input"), beginning)[0]) == made


def test_fuzzing_makes_up_as_many_as_the_table_says() -> None:
    """The properties' examples, and the inputs that are written down for the slow tier."""
    files = sorted((ROOT / "tests/fuzzing").glob("test_*.py"))
    made = [int(many or 10_000) for path in files for many in EXAMPLES.findall(path.read_text(encoding="utf-8"))]
    written = [count for path in files for _, count, slow in made_of(path) if slow]
    told = [number(cells[2]) for cells in rows(section("Fuzzing"), r"what is made up .*")]
    assert sum(told) == sum(made) + sum(written)


@pytest.mark.slow
def test_attacks_are_as_many_as_tests() -> None:
    """Without those of the audit; and how many are controls."""
    files = ("tests/security", "tests/plugin/test_hostile_servers.py", "--ignore=tests/security/test_audit_of_pins.py")
    made = [re.split(r"::|\[", test)[1] for test in collected(*files)]
    controls = sum(name in CONTROLS for name in made)
    said = " ".join(section("Attacks").split())
    assert f"Those are {len(made)} tests" in said
    assert f"{controls} of them are controls" in said
    assert number(summary("attacks")[0]) == len(made) - controls


@pytest.mark.slow
def test_compatibility_has_as_many_tests() -> None:
    """In the folder that bears its name."""
    told = summary("determinism and compatibility")[0]
    assert number(told) == len(collected("tests/compatibility"))


@pytest.mark.parametrize(
    ("kind", "name", "head", "column"),
    [
        ("bad input", "Bad input", "kind .*", 1),
        ("faults", "Faults", "fault .*", 1),
        ("fuzzing", "Fuzzing", "what is made up .*", 2),
    ],
)
def test_the_first_table_has_the_sums_of_the_others(kind: str, name: str, head: str, column: int) -> None:
    """Of what was tried."""
    assert number(summary(kind)[0]) == sum(number(cells[column]) for cells in rows(section(name), head))


def test_the_first_table_has_the_mutants_of_theirs() -> None:
    """Those that were run, and those that survived."""
    made, _, _, survived, _, not_run = map(int, row(section("Mutation testing"), "all", "module .*"))
    tried, found, _ = summary("mutation testing")
    assert (number(tried), number(found)) == (made - not_run, survived)


@pytest.mark.parametrize(("kind", "name"), LISTS.items())
def test_what_was_found_is_counted(kind: str, name: str) -> None:
    """Points, and what is parted by semicolons in them; all of it mended."""
    points = re.findall(r"^- .*\n(?:  .*\n)*", section(name), re.MULTILINE)
    entries = sum(1 + len(re.findall(r";\s", point)) for point in points)
    assert [number(cell) for cell in summary(kind)[1:]] == [entries, entries]


def test_bounds_that_were_raised_are_counted() -> None:
    """Those of the table."""
    raised = rows(section("Determinism and compatibility"), r"bound \| was \| because")
    assert number(summary("determinism and compatibility")[1]) == len(raised)
