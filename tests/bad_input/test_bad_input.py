"""Every bad input of the table, given to pytest as a user would give it."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import scipy.optimize  # noqa: F401

import pytest_forgetting.participants
import pytest_forgetting.running  # noqa: F401
from tests.bad_input import (
    broken_yaml,
    cases_of_suites,
    checks_of_cases,
    command_lines,
    folders,
    recorded,
    sources_of_cases,
    suite_keys,
)
from tests.bad_input.table import PAIR, BadInput
from tests.recordings import CAPITALS, record, write_capitals

ROWS = [
    *(*broken_yaml.ROWS, *suite_keys.ROWS, *cases_of_suites.ROWS, *checks_of_cases.ROWS, *sources_of_cases.ROWS),
    *(*command_lines.ROWS, *recorded.ROWS, *folders.ROWS),
]
REPORT = ("--forgetting-report=report.json",)
FIXED = ("-p", "no:randomly", "-p", "no:cacheprovider")
DECORATION = re.compile(
    r"^(ERROR: |E +|!+ |pytest\.main\(\): error: )?(_pytest\.outcomes\.Exit: )?(forgetting: (?=\S+[:/ ]))?|( !+)$"
)
"""What pytest writes around a message."""


@pytest.fixture
def here(pytester: pytest.Pytester, good: Path) -> Path:
    """A folder with a good suite, recordings of two models' answers to it, and an older report."""
    for file in good.iterdir():
        (pytester.path / file.name).write_bytes(file.read_bytes())
    (pytester.path / "report.json").write_text("an older report\n")
    return pytester.path


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The suite and the recordings, made once."""
    folder = tmp_path_factory.mktemp("good")
    made = write_capitals(folder)
    for name in ("old", "new"):
        record(folder / f"{name}.json", made, CAPITALS)
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder of these runs' own."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("own-cache")
        patch.setenv("PYTEST_FORGETTING_CACHE", str(folder))
        yield folder


def made(row: BadInput, here: Path) -> dict[str, bytes | None]:
    """Make the input; all that the folder then holds."""
    for name, content in row.files.items():
        path = here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    if row.prepare is not None:
        row.prepare(here)
    return held(here)


def held(folder: Path) -> dict[str, bytes | None]:
    """Every file with what it holds, every folder and link by its name."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() and path.stat().st_size < 1 << 20 else None
        for path in folder.rglob("*")
        if "__pycache__" not in path.parts
    }


def answers_in(cache: Path) -> int:
    """How many answers the store holds."""
    total = 0
    for path in cache.rglob("answers.sqlite"):
        with closing(sqlite3.connect(path)) as store:
            total += store.execute("select count(*) from answers").fetchone()[0]
    return total


def lines_of(result: pytest.RunResult, here: Path) -> list[str]:
    """All that was written, without what pytest draws around messages."""
    lines = (*result.outlines, *result.errlines)
    return [DECORATION.sub("", line.strip()).replace(str(here), "{here}") for line in lines]


def see_told_once(row: BadInput, lines: list[str]) -> None:
    """Each message once, word for word, and no traceback anywhere."""
    text = "\n".join(lines)
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text
    counts = Counter(lines)
    for told in row.told:
        start = told.removesuffix("…")
        found = counts[told] if start == told else sum(n for line, n in counts.items() if line.startswith(start))
        assert found == 1, f"wanted once: {told}\n{text}"


def id_of(row: BadInput) -> str:
    """The row's name."""
    return row.name


@pytest.mark.parametrize("row", ROWS, ids=id_of)
def test_it_is_told_in_one_message_and_nothing_is_left(
    pytester: pytest.Pytester, here: Path, cache: Path, row: BadInput
) -> None:
    """The message with its place, the exit code, and a folder that is as it was."""
    before, stored = made(row, here), answers_in(cache)
    result = pytester.runpytest_inprocess(*row.command, *REPORT, *FIXED)
    see_told_once(row, lines_of(result, here))
    assert result.ret == row.code
    assert held(here) == before
    assert answers_in(cache) == stored


def test_names_are_distinct_and_there_are_many() -> None:
    """A hundred inputs and more, none of them twice."""
    assert len({row.name for row in ROWS}) == len(ROWS) >= 100


def test_the_same_command_on_good_input_is_green(pytester: pytest.Pytester, here: Path, cache: Path) -> None:
    """So that the table is about what is bad in it."""
    result = pytester.runpytest_inprocess(*PAIR, "capitals.yaml", *REPORT, *FIXED)
    assert result.ret == 0
    assert (here / "report.json").read_text() != "an older report\n"
