"""Files of cases beside a suite, read row by row."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from pytest_forgetting.suites.building import Fault
from pytest_forgetting.suites.schema import SPELLINGS, CaseKeys
from pytest_forgetting.suites.spelling import hint, meant

SUFFIXES = (".jsonl", ".csv")
"""Of files that are read."""
_KNOWN = {*CaseKeys.model_fields, *SPELLINGS}


def source_file(suite: Path, name: str) -> Path:
    """The source `name` of `suite`.

    Raises:
        Fault: it lies outside the suite's folder, is missing, or is of a kind that is not read.
    """
    folder = suite.parent.resolve()
    try:
        file = (folder / name).resolve()
        there = file.is_file()
    except (OSError, RuntimeError) as error:  # a name too long, a link to itself
        raise Fault(f"source '{name:.60}' cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not file.is_relative_to(folder):
        raise Fault(f"source '{name}' lies outside the suite's folder")
    if file.suffix not in SUFFIXES:
        raise Fault(f"source '{name}': this version reads .jsonl and .csv")
    if file.is_dir():
        raise Fault(f"source '{name}' is a folder; wanted a .jsonl or .csv file")
    if not there:
        near = meant(file.name, (each.name for each in file.parent.glob("*.*") if each.suffix in SUFFIXES))
        raise Fault(f"source '{name}' does not exist" + (f"; {near}" if near else ""))
    return file


def see_fields(fields: Mapping[str, str]) -> None:
    """See that `fields` names keys of cases.

    Raises:
        Fault: one is none.
    """
    for name in fields:
        if name not in _KNOWN:
            told = hint(name, [*CaseKeys.model_fields, *SPELLINGS], CaseKeys.model_fields)
            raise Fault(f"unknown key '{name}'; {told}", ["fields", name], key=True)


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
            row = _json(line, number)
            if not isinstance(row, dict):
                raise Fault("wanted a JSON object with question and answer", line=number)
            yield number, row


def _json(line: bytes, number: int) -> Any:
    try:
        text = line.decode("utf-8-sig").rstrip()
        return json.loads(text, parse_constant=_no_json, object_pairs_hook=_once)
    except UnicodeDecodeError as error:
        raise Fault(f"byte {error.start} of the line is not UTF-8", line=number) from None
    except json.JSONDecodeError as error:
        raise Fault(f"is no JSON: {error.msg}", line=number, column=error.colno) from None
    except (ValueError, RecursionError) as error:
        raise Fault(f"is no JSON: {error}", line=number) from None


def _no_json(constant: str) -> NoReturn:
    raise ValueError(f"found {constant}; wanted a finite number, or a text in quotes")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError(f"key '{_twice([name for name, _ in pairs])}' given twice")
    return row


def _twice(names: Sequence[str]) -> str | None:
    return next((name for n, name in enumerate(names) if name in names[:n]), None)


def _csv_rows(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines, strict=True)
        try:
            if (name := _twice(reader.fieldnames or ())) is not None:
                raise Fault(f"column '{name}' given twice")
            for row in reader:
                if None in row:
                    told = f"found {len(row) - 1 + len(row[None])} cells; wanted {len(reader.fieldnames or ())}"
                    raise Fault(told, line=reader.line_num)
                yield reader.line_num, {name: value for name, value in row.items() if name and value}
        except UnicodeDecodeError:
            raise Fault("is not UTF-8", line=_line_of_odd_bytes(file)) from None
        except csv.Error as error:
            raise Fault(f"cannot be read as CSV: {error}", line=max(1, reader.line_num)) from None


def _line_of_odd_bytes(file: Path) -> int:
    content = file.read_bytes()
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return content.count(b"\n", 0, error.start) + 1
    return 1
