"""Files of cases beside a suite, read row by row."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from importlib.util import find_spec
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from pytest_forgetting.suites.building import Fault
from pytest_forgetting.suites.key_types import Columns
from pytest_forgetting.suites.schema import SPELLINGS, CaseKeys
from pytest_forgetting.suites.spelling import hint, meant
from pytest_forgetting.suites.strict_json import given_twice
from pytest_forgetting.suites.written_numbers import as_written

SUFFIXES = (".jsonl", ".csv")
"""Of files that are read."""
_KNOWN = {*CaseKeys.model_fields, *SPELLINGS}
_NAMES = ("id", "category", "cluster")

SIZE_LIMIT = 256 << 20
"""Bytes of a file of cases."""
MOST_ROWS = 1_000_000
"""Cases of one file."""


def source_file(suite: Path, name: str) -> Path:
    """The source `name` of `suite`.

    Raises:
        Fault: it lies outside the suite's folder, is missing, or is of a kind that is not read.
    """
    file = beside(suite, name, "source")
    if file.is_dir():
        raise Fault(f"source '{name}' is a folder; wanted a file ({', '.join(READERS)})")
    if file.suffix not in READERS:
        raise Fault(f"source '{name}': found no file of a kind that is read; wanted {', '.join(READERS)}")
    if not file.is_file():
        near = meant(file.name, (each.name for each in file.parent.glob("*.*") if each.suffix in READERS))
        raise Fault(f"source '{name}' does not exist" + (f"; {near}" if near else ""))
    if file.suffix == ".parquet":
        needing_extra("pyarrow", f"source '{name}'")
    return file


def beside(suite: Path, name: str, what: str) -> Path:
    """What `name` means in `suite`.

    Raises:
        Fault: it lies outside the suite's folder.
    """
    try:
        folder = suite.parent.resolve()
        found = (folder / name).resolve()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            found.stat()  # from Python 3.13 on neither `resolve` nor `exists` tells of links in a circle
    except (OSError, ValueError, RuntimeError) as error:  # names too long, with a null byte, links in a circle
        raise Fault(f"{what} '{name:.60}' cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not found.is_relative_to(folder):
        raise Fault(f"{what} '{name}' lies outside the suite's folder")
    return found


def needing_extra(library: str, what: str) -> None:
    """See that the extra `data` is installed.

    Raises:
        Fault: it is not.
    """
    if find_spec(library) is None:
        raise Fault(f"{what} needs {library}: pip install 'pytest-forgetting[data]'")


def see_columns(name: str, columns: Collection[str], fields: Mapping[str, Columns]) -> None:
    """See that the columns that `fields` names are there, or that some are called as the keys of a case are.

    Raises:
        Fault: they are not; its path leads into `source`.
    """
    for key, column in ((key, column) for key, columns in fields.items() for column in _single(columns)):
        if column.partition(".")[0] not in columns and column not in columns and columns:
            told = f"no column '{column}' in {name}, which 'fields' names for '{key}'"
            raise Fault(f"{told}; columns: {', '.join(columns)}", ["fields", key])
    if columns and not fields and _KNOWN.isdisjoint(columns):
        told = f"no column of {name} is called as a key of a case is; columns: {', '.join(columns)}"
        raise Fault(f"{told}; wanted fields: {{question: COLUMN, correct_answer: COLUMN}}")


def see_fields(fields: Mapping[str, Columns]) -> None:
    """See that `fields` names keys of cases, and several columns for choices only.

    Raises:
        Fault: one is none, or has too many.
    """
    for name, columns in fields.items():
        if name not in _KNOWN:
            told = hint(name, [*CaseKeys.model_fields, *SPELLINGS], CaseKeys.model_fields)
            raise Fault(f"unknown key '{name}'; {told}", ["fields", name], key=True)
        if name != "choices" and not isinstance(columns, str):
            raise Fault(f"{name}: found several columns, which only 'choices' may have; wanted one", ["fields", name])
    if "labels" in fields and isinstance(fields.get("choices"), dict):
        raise Fault("'labels' are given beside each column of 'choices' already", ["fields", "labels"], key=True)


def _single(columns: Columns) -> Iterable[str]:
    if isinstance(columns, str):
        return (columns,)
    return columns.values() if isinstance(columns, dict) else columns


def read_rows(file: Path, fields: Mapping[str, Columns]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and case keys of each row; columns that mean nothing here are left out.

    Raises:
        Fault: a line is no JSON object, a named column is missing, or the file is not UTF-8.
    """
    for number, (line, row) in enumerate(READERS[file.suffix](file), 1):
        if number > MOST_ROWS:
            raise Fault(f"more than {MOST_ROWS:,} cases; wanted fewer", line=line)
        try:
            yield line, case_keys(row, fields)
        except Fault as fault:
            fault.place = f"{line}"
            raise


def holds_questions(path: Path) -> bool:
    """Whether the first line of the .jsonl file `path` is a question with its answer."""
    if path.suffix != ".jsonl":
        return False
    try:
        keys = next((row.keys() for _, row in _jsonl_rows(path.resolve())), ())
    except (Fault, OSError, RuntimeError):
        return False
    plain = {SPELLINGS.get(name, name) for name in keys}
    return "correct_answer" in plain and not plain.isdisjoint(("question", "prompt"))


def case_keys(row: Mapping[str, Any], fields: Mapping[str, Columns]) -> dict[str, Any]:
    """What of a row means something in a case; what has no value is left out.

    Args:
        row: its columns.
        fields: the column for a key that is called otherwise; ``answers.text`` is the key `text` in `answers`. Choices
            may have a column each, of which some are empty where a case has fewer.

    Raises:
        Fault: a named column is missing.
    """
    renamed = {name: _value(row, name, column) for name, column in fields.items() if isinstance(column, str)}
    if isinstance(columns := fields.get("choices"), list | dict):
        renamed |= _choices(row, columns)
    taken = {SPELLINGS.get(name, name) for name in renamed}
    rest = {name: row[name] for name in row if name in _KNOWN and SPELLINGS.get(name, name) not in taken}
    return {name: _as_name(name, value) for name, value in (*rest.items(), *renamed.items()) if value is not None}


def _choices(row: Mapping[str, Any], columns: list[str] | dict[str, str]) -> dict[str, Any]:
    """Choices that have a column each; where they have no labels they are numbered, so that none is left out amid."""
    if isinstance(columns, dict):
        held = {label: _value(row, "choices", column) for label, column in columns.items()}
        held = {label: value for label, value in held.items() if value is not None}
        return {"choices": list(held.values()), "labels": list(held)}
    values = [_value(row, "choices", column) for column in columns]
    while values and values[-1] is None:
        values.pop()
    return {"choices": values}


def _as_name(key: str, value: Any) -> Any:
    """Names in data are often numbers, which nobody can put into quotes there."""
    return str(value) if key in _NAMES and isinstance(value, int) and not isinstance(value, bool) else value


def _value(row: Mapping[str, Any], name: str, column: str) -> Any:
    if column in row:
        return row[column]
    value: Any = row
    for part in column.split("."):
        if value is None:
            return None
        if not isinstance(value, Mapping) or part not in value:
            told = f"no field '{column}', which 'fields' names for '{name}'"
            raise Fault(f"{told}; fields: {', '.join(map(str, row))}")
        value = value[part]
    return value


def _opened(file: Path) -> BinaryIO:
    """`file`, as long as its name leads to it without a link: `source_file` has followed those that there were.

    Raises:
        Fault: some part of its name has become a link since, it is no plain file, or it is too large.
    """
    try:
        handle = _without_links(file)
    except OSError as error:
        raise Fault(f"cannot be read: {error.strerror}") from None
    opened = open(handle, "rb")  # noqa: SIM115, PTH123 - of a descriptor; the caller closes it
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode) or status.st_size > SIZE_LIMIT:
        opened.close()
        told = f"has more than {SIZE_LIMIT >> 20} MiB" if stat.S_ISREG(status.st_mode) else "is no plain file"
        raise Fault(f"{told}; wanted several smaller files")
    return opened


def _without_links(file: Path) -> int:
    """A descriptor of the absolute path `file`, opened part by part, of which none may be a link."""
    if os.open not in os.supports_dir_fd:  # on Windows
        return os.open(file, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    parts = file.absolute().parts
    # Folders above may be searched and not listed, as /home often is: O_PATH, which Linux has, needs no more.
    way = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW
    folder = os.open(parts[0], way)
    try:
        for part in parts[1:-1]:
            below = os.open(part, way, dir_fd=folder)
            os.close(folder)
            folder = below
        return os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    finally:
        os.close(folder)


def _jsonl_rows(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with _opened(file) as lines:
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
        return json.loads(text, parse_constant=_no_json, parse_float=as_written, object_pairs_hook=_once)
    except UnicodeDecodeError as error:
        raise Fault(f"byte {error.start} of the line is not UTF-8", line=number) from None
    except json.JSONDecodeError as error:
        wanted = "; wanted an object in each line" if text in ("{", "[") else ""
        raise Fault(f"is no JSON: {error.msg}{wanted}", line=number, column=error.colno) from None
    except (ValueError, RecursionError) as error:
        raise Fault(f"is no JSON: {error}", line=number) from None


def _no_json(constant: str) -> NoReturn:
    raise ValueError(f"found {constant}; wanted a finite number, or a text in quotes")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError(f"key '{given_twice(name for name, _ in pairs)}' given twice")
    return row


def _csv_rows(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with _opened(file) as raw, TextIOWrapper(raw, encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines, strict=True)
        try:
            if (name := given_twice(reader.fieldnames or ())) is not None:
                raise Fault(f"column '{name}' given twice")
            for row in reader:
                if None in row:
                    told = f"found {len(row) - 1 + len(row[None])} cells; wanted {len(reader.fieldnames or ())}"
                    raise Fault(told, line=reader.line_num)
                yield reader.line_num, {name: value or None for name, value in row.items() if name}
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


def _parquet_rows(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows are counted from 1, as lines are."""
    import pyarrow
    import pyarrow.parquet

    try:
        with _opened(file) as raw, pyarrow.parquet.ParquetFile(raw) as table:
            number = 0
            for batch in table.iter_batches():
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (pyarrow.ArrowException, OSError) as error:
        raise Fault(f"cannot be read as Parquet: {error}", line=1) from None


READERS: dict[str, Callable[[Path], Iterator[tuple[int, dict[str, Any]]]]] = {
    ".jsonl": _jsonl_rows,
    ".csv": _csv_rows,
    ".parquet": _parquet_rows,
}
"""By suffix."""
