"""Files of cases beside a suite, read row by row."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_forgetting.suites.building import Fault
from pytest_forgetting.suites.schema import SPELLINGS, CaseKeys

_KNOWN = {*CaseKeys.model_fields, *SPELLINGS}


def source_file(suite: Path, name: str) -> Path:
    """The source `name` of `suite`.

    Raises:
        Fault: it lies outside the suite's folder, is missing, or is of a kind that is not read.
    """
    folder = suite.parent.resolve()
    try:
        file = (folder / name).resolve()
        exists = file.is_file()
    except (OSError, RuntimeError) as error:  # a name that is too long, a loop of links
        raise Fault(f"source '{name:.60}' cannot be read: {getattr(error, 'strerror', error)}") from None
    if not file.is_relative_to(folder):
        raise Fault(f"source '{name}' lies outside the suite's folder")
    if file.suffix not in (".jsonl", ".csv"):
        raise Fault(f"source '{name}': this version reads .jsonl and .csv")
    if not exists:
        raise Fault(f"source '{name}' does not exist")
    return file


def read_rows(file: Path, fields: Mapping[str, str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and case keys of each row; columns that mean nothing here are left out.

    Raises:
        Fault: a line is no JSON object, a named column is missing, or the file is not UTF-8.
    """
    rows = _csv_rows(file) if file.suffix == ".csv" else _jsonl_rows(file)
    for line, row in rows:
        for name, column in fields.items():
            if column not in row:
                raise Fault(f"no field '{column}', which 'fields' names for '{name}'", line=line)
        yield line, case_keys(row, fields)


def holds_questions(path: Path) -> bool:
    """Whether the first line of the .jsonl file `path` is a question with its answer."""
    if path.suffix != ".jsonl":
        return False
    try:
        keys = next((row.keys() for _, row in read_rows(path, {})), ())
    except (Fault, OSError):
        return False
    plain = {SPELLINGS.get(name, name) for name in keys}
    return "correct_answer" in plain and not plain.isdisjoint(("question", "prompt"))


def case_keys(row: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """What of a row means something in a case.

    Args:
        row: its columns.
        fields: the column for a key that is called otherwise.
    """
    renamed = {name: row[column] for name, column in fields.items()}
    taken = {SPELLINGS.get(name, name) for name in renamed}
    rest = {name: row[name] for name in row if name in _KNOWN and SPELLINGS.get(name, name) not in taken}
    return {**rest, **renamed}


def _jsonl_rows(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line.decode("utf-8-sig"))
            except (ValueError, RecursionError) as error:
                raise Fault(f"is no JSON: {error}", line=number) from None
            if not isinstance(row, dict):
                raise Fault("wanted a JSON object with question and answer", line=number)
            yield number, row


def _csv_rows(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            for row in reader:
                yield reader.line_num, {name: value for name, value in row.items() if name and value}
    except (UnicodeDecodeError, csv.Error) as error:
        raise Fault(f"cannot be read as CSV: {error}", line=1) from None
