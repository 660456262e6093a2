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
_WANTED = "wanted a file, a folder, several of them, or rows"
_PLAIN = (".txt", ".md")


def training_rows(data: TrainingData) -> Iterator[tuple[str, str]]:
    """Place (``file:line``, or ``row N``) and text of each row: all texts in it, whatever its keys are.

    Args:
        data: a .jsonl, .csv, .parquet or .txt file (a text a line), a folder of such, several of them; or rows.

    Raises:
        WrongUsage: there is no such file, it is of another kind, or it cannot be read.
    """
    if data is None or not isinstance(data, str | PathLike | Iterable):
        raise WrongUsage(f"training data: found {data!r:.60} ({type(data).__name__}); {_WANTED}")
    given = [data] if isinstance(data, str | PathLike | Mapping) else data
    for number, each in enumerate(given, 1):
        if isinstance(each, Mapping):
            yield f"row {number}", _text(each)
        elif isinstance(each, str | PathLike):
            yield from _held(fspath(each))
        else:
            raise WrongUsage(f"training data: found {each!r:.60} ({type(each).__name__}); {_WANTED}")


def _held(name: str) -> Iterator[tuple[str, str]]:
    """The rows of a file or a folder.

    Raises:
        WrongUsage: it has none: a leak check on nothing would find nothing.
    """
    if not name.strip():
        raise WrongUsage("training data is empty; wanted a file or a folder")
    found = False
    for file in _files(Path(name)):
        for row in _rows(file):
            found = True
            yield row
    if not found:
        raise WrongUsage(f"training data {name}: holds no rows; wanted some")


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
            with file.open("rb") as lines:
                for number, content in enumerate(lines, 1):
                    yield f"{file}:{number}", _decoded(content, number)
            return
        if file.suffix == ".parquet":
            needing_extra("pyarrow", f"training data {file}")
        for line, row in READERS[file.suffix](file):
            yield f"{file}:{line}", _text(row)
    except Fault as fault:
        raise WrongUsage(f"{file}:{fault.place}: {fault}") from None
    except OSError as error:
        raise WrongUsage(f"training data {file}: cannot be read: {error.strerror}") from None


def _decoded(content: bytes, number: int) -> str:
    try:
        return content.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise Fault(f"byte {error.start} of the line is not UTF-8", line=number) from None


def _text(value: Any) -> str:
    """All texts in a row, one behind the other: a prompt and its completion are learned as one text."""
    if isinstance(value, Mapping):
        return " ".join(_text(each) for each in value.values())
    if isinstance(value, list | tuple):
        return " ".join(_text(each) for each in value)
    return str(value) if isinstance(value, str | int | float) else ""
