"""Every bad input of the table, given to pytest as a user would give it."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make

import pytest_forgetting.evaluation.opening  # noqa: F401 - as scipy above
import pytest_forgetting.session.run  # noqa: F401 - as scipy above
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
from tests.reports import read_report

SUITES = [
    *(*broken_yaml.ROWS, *suite_keys.ROWS, *cases_of_suites.ROWS, *checks_of_cases.ROWS, *sources_of_cases.ROWS),
]
OTHERS = [*command_lines.ROWS, *recorded.ROWS, *folders.ROWS]
ROWS = [*SUITES, *OTHERS]
# pytest takes half a second to say that it was interrupted: all suites are seen in one run, and alone if asked.
BY_THEMSELVES = [
    *OTHERS,
    *(row if n % 12 == 0 else pytest.param(row, marks=pytest.mark.slow) for n, row in enumerate(SUITES)),
]
REPORT = ("--forgetting-report=report.json",)
FIXED = ("-p", "no:randomly", "-p", "no:cacheprovider")
DECORATION = re.compile(
    r"^(ERROR: |E +|!+ |(?:pytest\.main\(\)|__main__\.py|-c): error: )?(_pytest\.outcomes\.Exit: )?"
    r"(forgetting: (?=\S+[:/ ]))?|( !+)$"
)
"""What pytest writes around a message."""
PLACE = re.compile(r"\b((?:s\.yaml|x\.jsonl|x\.csv)(?=:))")
"""Files as messages name them."""


@pytest.fixture
def here(pytester: pytest.Pytester, good: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a good suite, recordings of two models' answers to it, and an older report."""
    monkeypatch.delenv("CI", raising=False)  # under which pytest's summary repeats whole messages
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


def see_told_once(told: Iterable[str], lines: list[str]) -> None:
    """Each message once, word for word, and no traceback anywhere."""
    text = "\n".join(lines)
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text
    counts = Counter(lines)
    for each in told:
        start = each.removesuffix("…")
        found = counts[each] if start == each else sum(n for line, n in counts.items() if line.startswith(start))
        assert found == 1, f"wanted once: {each}\n{text}"


def id_of(row: BadInput) -> str:
    """The row's name."""
    return row.name


def in_folders(here: Path) -> list[str]:
    """Make all suites, each in a folder of its own; what is to be told of them."""
    told = []
    for n, row in enumerate(SUITES):
        made(row, here / f"n{n}")
        told += [PLACE.sub(rf"n{n}/\1", each) for each in row.told]
    return told


@pytest.mark.parametrize("row", BY_THEMSELVES, ids=id_of)
def test_it_is_told_in_one_message_and_nothing_is_left(
    pytester: pytest.Pytester, here: Path, cache: Path, row: BadInput
) -> None:
    """The message with its place, the exit code, and a folder that is as it was."""
    before, stored = made(row, here), answers_in(cache)
    result = pytester.runpytest_inprocess(*row.command, *REPORT, *FIXED)
    see_told_once(row.told, lines_of(result, here))
    assert result.ret == row.code
    assert held(here) == before
    assert answers_in(cache) == stored


def test_all_bad_suites_of_one_run_are_told(pytester: pytest.Pytester, here: Path, cache: Path) -> None:
    """One message each, the good suite among them is not run, and the folder is as it was."""
    told = in_folders(here)
    before = held(here)
    result = pytester.runpytest_inprocess(*PAIR, ".", *REPORT, *FIXED)
    see_told_once(told, lines_of(result, here))
    assert result.ret == 2
    assert held(here) == before


def test_workers_tell_the_same(pytester: pytest.Pytester, here: Path, cache: Path) -> None:
    """Under xdist pytest's exit code is 1; what the good suite says is reported as undecided."""
    told = in_folders(here)
    result = pytester.runpytest_subprocess(*PAIR, ".", "-n2", *REPORT, *FIXED)
    see_told_once(told, lines_of(result, here))
    assert result.ret == 1
    report = here / "report.json"
    if report.read_text() != "an older report\n":
        written = read_report(report)
        assert written["decision"] == "inconclusive"
        assert any(finding["finding"] == "unread" for finding in written["audit"])


KEYS = {"--max-drop": "max_drop", "--device": "device", "--dtype": "dtype", "--batch-size": "batch_size"}
TWINS = [
    (key, row)
    for row in command_lines.ROWS
    for option, key in KEYS.items()
    if row.command[:-2] == PAIR and row.command[-2].startswith(f"{option}=")
]


@pytest.mark.parametrize(("key", "row"), TWINS, ids=[row.name for _, row in TWINS])
def test_a_key_of_the_configuration_is_told_alike(
    pytester: pytest.Pytester, here: Path, cache: Path, key: str, row: BadInput
) -> None:
    """The same message as for the option."""
    pytester.makeini(f"[pytest]\nforgetting_{key} = {row.command[-2].partition('=')[2]}\n")
    result = pytester.runpytest_inprocess(*PAIR, "capitals.yaml", *REPORT, *FIXED)
    see_told_once(row.told, lines_of(result, here))
    assert result.ret == 4


def test_a_misspelt_key_of_the_configuration_is_told(pytester: pytest.Pytester, here: Path, cache: Path) -> None:
    """pytest would only warn, and the gate would not be the one that was meant."""
    pytester.makeini("[pytest]\nforgetting_max_dorp = 0.01\n")
    result = pytester.runpytest_inprocess(*PAIR, "capitals.yaml", *REPORT, *FIXED)
    told = "{here}/tox.ini: unknown key forgetting_max_dorp; did you mean 'forgetting_max_drop'?"
    see_told_once([told], lines_of(result, here))
    assert result.ret == 4


@pytest.mark.parametrize("name", ["lint", "import", "overwrite", "init"])
def test_a_command_is_no_key_of_the_configuration(
    pytester: pytest.Pytester, here: Path, cache: Path, name: str
) -> None:
    """Nobody would read it, and pytest would only warn."""
    pytester.makeini(f"[pytest]\nforgetting_{name} = true\n")
    result = pytester.runpytest_inprocess(*PAIR, "capitals.yaml", *REPORT, *FIXED)
    see_told_once([f"{{here}}/tox.ini: unknown key forgetting_{name}…"], lines_of(result, here))
    assert result.ret == 4


def test_names_are_distinct_and_there_are_many() -> None:
    """A hundred inputs and more, none of them twice."""
    assert len({row.name for row in ROWS}) == len(ROWS) >= 100


def test_the_same_command_on_good_input_is_green(pytester: pytest.Pytester, here: Path, cache: Path) -> None:
    """So that the table is about what is bad in it."""
    result = pytester.runpytest_inprocess(*PAIR, "capitals.yaml", *REPORT, *FIXED)
    assert result.ret == 0
    assert (here / "report.json").read_text() != "an older report\n"
