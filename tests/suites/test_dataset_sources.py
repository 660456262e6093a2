"""Cases from Parquet files and from datasets: what they become, and what is said where they cannot be read."""

import json
import logging
import sys
from pathlib import Path
from typing import Any

import datasets
import pyarrow
import pyarrow.parquet
import pytest

from pytest_forgetting.errors import SuiteError
from pytest_forgetting.suites import dataset_rows
from pytest_forgetting.suites.cases import Suite
from pytest_forgetting.suites.dataset_rows import _is_pinned
from pytest_forgetting.suites.loading import load_suite

QA = "forgetting: qa\n"
FIELDS = "fields: {question: query, correct_answer: gold.text}"
ROWS: list[dict[str, Any]] = [
    {"query": "Capital of France?", "gold": {"text": ["Paris", "paris"]}, "category": "geography"},
    {"query": "Capital of Peru?", "gold": {"text": ["Lima"]}, "category": None},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A dataset of two splits in files, beside where suites are written."""
    data = tmp_path / "data"
    data.mkdir()
    for split, rows in (("train", ROWS[:1]), ("test", ROWS)):
        (data / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def load(folder: Path, source: str) -> Suite:
    """A suite with one source."""
    (folder / "s.yaml").write_text(f"{QA}source: {source}\n")
    return load_suite(folder / "s.yaml", shown_as="s.yaml")


def told(folder: Path, source: str) -> str:
    """What is said of a source that cannot be read."""
    with pytest.raises(SuiteError) as raised:
        load(folder, source)
    return str(raised.value)


def test_a_split_of_a_folder(folder: Path) -> None:
    """Rows are cases at the line that names the dataset; a column within a column is named by a dot."""
    suite = load(folder, f"{{dataset: data, split: test, {FIELDS}}}")
    assert [(case.expected, case.category, case.file, case.line) for case in suite.cases] == [
        (("Paris", "paris"), "geography", "s.yaml", 2),
        (("Lima",), "general", "s.yaml", 2),
    ]
    assert [(read.name, read.split, read.revision, read.pinned) for read in suite.datasets] == [
        ("data", "test", None, True)
    ]


def test_ids_are_those_of_the_same_cases_in_a_file(folder: Path) -> None:
    """A recording made from a file fits the dataset made from it."""
    rows = [{"question": row["query"], "answer": "x"} for row in ROWS]
    (folder / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    from_file = load_suite(folder / "x.jsonl")
    from_dataset = load(folder, f"{{dataset: data, split: test, {FIELDS}}}")
    assert [case.id for case in from_file.cases] == [case.id for case in from_dataset.cases]


def test_a_saved_dataset(tmp_path: Path) -> None:
    """What `save_to_disk` wrote is read as well; its only split need not be named."""
    datasets.Dataset.from_list([{"question": "a", "answer": "b"}]).save_to_disk(tmp_path / "saved")
    assert [case.title for case in load(tmp_path, "{dataset: ./saved}").cases] == ["a"]


def test_a_parquet_file(tmp_path: Path) -> None:
    """Rows count as lines."""
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), tmp_path / "x.parquet")
    suite = load(tmp_path, f"{{path: x.parquet, {FIELDS}}}")
    assert [(case.title, case.file, case.line) for case in suite.cases] == [
        ("Capital of France?", "x.parquet", 1),
        ("Capital of Peru?", "x.parquet", 2),
    ]


def test_a_damaged_parquet_file(tmp_path: Path) -> None:
    """It is named, with what is wrong."""
    (tmp_path / "x.parquet").write_bytes(b"PAR1 and nothing else")
    assert told(tmp_path, "x.parquet").startswith("x.parquet:1: cannot be read as Parquet: ")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{dataset: data}", "s.yaml:2:19: dataset 'data' has several splits; wanted split: one of train, test"),
        ("{dataset: data, split: tset}", "s.yaml:2:32: dataset 'data' has no split 'tset'; splits: train, test"),
        (
            "{dataset: data, split: test, fields: {question: qery}}",
            "s.yaml:2:57: no column 'qery' in data, which 'fields' names for 'question';"
            " columns: query, gold, category",
        ),
        (
            "{dataset: data, split: test, fields: {question: query}}",
            "s.yaml:2: row 1 of data: no answer; wanted 'answer' or 'correct_answer'; its columns: query, gold,"
            " category\ns.yaml:2: row 2 of data: no answer; wanted 'answer' or 'correct_answer'; its columns: query,"
            " gold, category",
        ),
        ("{dataset: data, split: test, config: x}", "s.yaml:2:46: dataset 'data' has no config 'x'; configs: default"),
        ("{dataset: data, revision: v1}", "s.yaml:2:25: dataset 'data' is a folder, and has no revisions"),
        ("{dataset: ./gone}", "s.yaml:2:19: dataset './gone' is no folder; wanted one, or 'path: ./gone' for *"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(folder: Path, source: str, message: str) -> None:
    """Splits, columns and configs, each at its own place."""
    said = told(folder, source)
    assert said == message if not message.endswith("*") else said.startswith(message[:-1])


def test_a_dataset_without_columns_of_ours(tmp_path: Path) -> None:
    """One message for all rows."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.csv").write_text("q,a\n1,2\n3,4\n")
    assert told(tmp_path, "{dataset: data}") == (
        "s.yaml:2:9: no column of data is called as a key of a case is; columns: q, a;"
        " wanted fields: {question: COLUMN, correct_answer: COLUMN}"
    )


def test_many_bad_rows_are_counted(tmp_path: Path) -> None:
    """Where one row lacks something, mostly all do."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.csv").write_text("question,a\n" + "1,2\n" * 40)
    lines = told(tmp_path, "{dataset: data}").splitlines()
    assert len(lines) == 6
    assert lines[-1] == "s.yaml:2: and 35 more rows of data"


def test_a_dataset_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the Hub may have billions of rows."""
    monkeypatch.setattr(dataset_rows, "MOST_ROWS", 2)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.csv").write_text("question,answer\na,b\nc,d\ne,f\n")
    assert told(tmp_path, "{dataset: data}") == "s.yaml:2:19: dataset 'data' has more than 2 rows; wanted fewer"


def test_empty_lines_among_texts(tmp_path: Path) -> None:
    """Corpora have them between paragraphs: they are no texts to be measured."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.txt").write_text("one\n\ntwo\n")
    (tmp_path / "more.jsonl").write_text('{"text": " "}\n{"text": "three"}\n')
    (tmp_path / "s.yaml").write_text("forgetting: text\nsource: [{dataset: data}, more.jsonl]\n")
    assert [case.title for case in load_suite(tmp_path / "s.yaml").cases] == ["one", "two", "three"]


def test_a_damaged_dataset_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The library's own log says it too, with a path of this machine."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.jsonl").write_text('{"question": "a", "answer": "b"}\n{bad\n')
    logging.getLogger("datasets").addHandler(caplog.handler)
    assert told(tmp_path, "{dataset: data}").startswith("s.yaml:2:19: dataset 'data' cannot be read: JSON parse error")
    logging.getLogger("datasets").removeHandler(caplog.handler)
    assert caplog.records == []
    assert datasets.logging.get_verbosity() == datasets.logging.WARNING


def test_files_that_are_pictures_or_code_are_refused(tmp_path: Path) -> None:
    """Only tables and texts are read; none of them runs anything."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.tar").write_bytes(b"")
    assert told(tmp_path, "{dataset: data}") == (
        "s.yaml:2:19: dataset 'data' is made of webdataset files; wanted csv, json, parquet, arrow, text"
    )


def test_rows_that_do_not_fit_the_first_ones(tmp_path: Path) -> None:
    """The library's long message becomes one line."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.jsonl").write_text('{"question": "a", "answer": "b"}\n{"question": \n')
    said = told(tmp_path, "{dataset: data}")
    assert said.startswith("s.yaml:2:19: dataset 'data' cannot be read: ")
    assert len(said.splitlines()) == 1


def test_a_dataset_that_names_files_elsewhere(tmp_path: Path) -> None:
    """Its README may say where its files are: not outside the suite's folder."""
    suites = tmp_path / "suites"
    (suites / "data").mkdir(parents=True)
    (tmp_path / "secret.csv").write_text("question,answer\na,b\n")
    secret = tmp_path / "secret.csv"
    (suites / "data" / "README.md").write_text(f"---\nconfigs:\n- config_name: x\n  data_files: {secret}\n---\n")
    assert told(suites, "{dataset: data}") == f"s.yaml:2:19: dataset 'data' names {secret}, outside the suite's folder"


def test_a_saved_dataset_that_names_files_elsewhere(tmp_path: Path) -> None:
    """Neither do the files that `save_to_disk` wrote."""
    suites = tmp_path / "suites"
    rows = datasets.Dataset.from_list([{"question": "a", "answer": "b"}])
    rows.save_to_disk(suites / "data")
    rows.save_to_disk(tmp_path / "secret")
    state = json.loads((suites / "data" / "state.json").read_text())
    state["_data_files"] = [{"filename": "../../secret/data-00000-of-00001.arrow"}]
    (suites / "data" / "state.json").write_text(json.dumps(state))
    assert "outside the suite's folder" in told(suites, "{dataset: data}")


def test_a_folder_below_the_current_one_is_not_taken_for_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library would read it: a suite names what lies beside it, or the Hub."""
    (tmp_path / "org" / "name").mkdir(parents=True)
    (tmp_path / "suites").mkdir()
    monkeypatch.chdir(tmp_path)
    assert told(tmp_path / "suites", "{dataset: org/name}") == (
        "s.yaml:2:19: dataset 'org/name' lies outside the suite's folder"
    )


@pytest.mark.parametrize(("library", "source"), [("datasets", "{dataset: a/b}"), ("pyarrow", "x.parquet")])
def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, source: str) -> None:
    """One message says what to install."""
    (tmp_path / "x.parquet").touch()
    monkeypatch.setitem(sys.modules, library, None)
    said = told(tmp_path, source)
    assert said.startswith("s.yaml:2:9: ")
    assert said.endswith(f" needs {library}: pip install 'pytest-forgetting[data]'")


@pytest.mark.parametrize(
    ("named", "read", "pinned"),
    [("0a1b2c3", "0a1b2c3d", True), ("0a1b2c3d", "0a1b2c3d", True), (None, "0a1b2c3d", False), ("main", "0a", False)],
)
def test_only_a_commit_keeps_the_cases_the_same(named: str | None, read: str, pinned: bool) -> None:
    """Branches and tags can come to mean another one."""
    assert _is_pinned(named, read) is pinned
