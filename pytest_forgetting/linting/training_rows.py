"""Training data as texts, in whichever form it comes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.suites.building import Fault
from pytest_forgetting.suites.sources import READERS, needing_extra

TrainingData = str | PathLike[str] | Iterable[str | PathLike[str] | Mapping[str, Any]]
_PLAIN = (".txt", ".md")


def training_rows(data: TrainingData) -> Iterator[tuple[str, str]]:
    """Place (``file:line``, or ``row N``) and text of each row: all texts in it, whatever its keys are.

    Args:
        data: a .jsonl, .csv, .parquet or .txt file (a text a line), a folder of such, several of them; or rows.

    Raises:
        WrongUsage: there is no such file, it is of another kind, or it cannot be read.
    """
    given = [data] if isinstance(data, str | PathLike | Mapping) else list(data)
    for number, each in enumerate(given, 1):
        if isinstance(each, Mapping):
            yield f"row {number}", _text(each)
        else:
            for file in _files(Path(fspath(each))):
                yield from _rows(file)


def _files(path: Path) -> list[Path]:
    kinds = (*READERS, *_PLAIN)
    if path.is_dir():
        found = sorted(each for each in path.rglob("*") if each.is_file() and each.suffix in kinds)
        if found:
            return found
        raise WrongUsage(f"training data {path}: no file in this folder is of a kind that is read: {', '.join(kinds)}")
    if not path.is_file():
        raise WrongUsage(f"training data {path}: there is no such file or folder")
    if path.suffix not in kinds:
        raise WrongUsage(f"training data {path}: wanted a file of the kinds {', '.join(kinds)}")
    return [path]


def _rows(file: Path) -> Iterator[tuple[str, str]]:
    try:
        if file.suffix in _PLAIN:
            with file.open(encoding="utf-8-sig") as lines:
                yield from ((f"{file}:{number}", line) for number, line in enumerate(lines, 1))
            return
        if file.suffix == ".parquet":
            needing_extra("pyarrow", f"training data {file}")
        for line, row in READERS[file.suffix](file):
            yield f"{file}:{line}", _text(row)
    except Fault as fault:
        raise WrongUsage(f"{file}:{fault.place}: {fault}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUsage(f"training data {file}: cannot be read: {error}") from None


def _text(value: Any) -> str:
    """All texts in a row, one behind the other: a prompt and its completion are learned as one text."""
    if isinstance(value, Mapping):
        return " ".join(_text(each) for each in value.values())
    if isinstance(value, list | tuple):
        return " ".join(_text(each) for each in value)
    return str(value) if isinstance(value, str | int | float) else ""
