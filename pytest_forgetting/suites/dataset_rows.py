"""Cases in datasets, of the Hugging Face Hub or in a folder beside the suite: read row by row, and never run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_forgetting.suites.building import Fault
from pytest_forgetting.suites.cases import DatasetRead
from pytest_forgetting.suites.key_types import Columns
from pytest_forgetting.suites.schema import SourceKeys
from pytest_forgetting.suites.sources import MOST_ROWS, beside, case_keys, needing_extra, see_columns

_READ = ("csv", "json", "parquet", "arrow", "text")
"""Kinds of files: of the others that `datasets` knows, some are unpickled and some are pictures."""
_ON_THE_HUB = re.compile(r"hf://datasets/[^@]+@(?P<revision>[^/]+)/")
_SHORTEST_COMMIT = 7
"""Characters of a commit's hash, as git shortens them."""
_SAVED = ("dataset_dict.json", "state.json")
"""Files that `save_to_disk` writes, of several splits and of one."""


@dataclass(frozen=True)
class DatasetRows:
    """The rows of one split, and where they are from."""

    read: DatasetRead
    columns: tuple[str, ...]
    rows: Iterator[Mapping[str, Any]]

    def case_rows(self, fields: Mapping[str, Columns]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Number, from 1, and case keys of each row; empty values are left out.

        Raises:
            Fault: the rows end in an error.
        """
        with _in_one_line(self.read.name):
            for number, row in enumerate(self.rows, 1):
                if number > MOST_ROWS:
                    raise Fault(
                        f"dataset '{self.read.name}' has more than {MOST_ROWS:,} rows; wanted fewer", ["dataset"]
                    )
                yield number, case_keys(row, fields)


def open_dataset(suite: Path, keys: SourceKeys, line: int) -> DatasetRows:
    """Find the dataset that a suite names, and the split in it; nothing but the first row is read yet.

    Args:
        suite: the file that names it.
        keys: its name, config, split and revision, and which columns are wanted.
        line: where it is named.

    Raises:
        Fault: there is no such dataset, config, split or column, or it cannot be read; `datasets` is not installed.
    """
    needing_extra("datasets", f"dataset '{keys.dataset}'")
    name = str(keys.dataset)
    folder = _local_folder(suite, name)
    if folder is not None and keys.revision is not None:
        raise Fault(f"dataset '{name}' is a folder, and has no revisions", ["revision"], key=True)
    with _in_one_line(name):
        splits, revision = _hub_splits(keys) if folder is None else (_local_splits(suite, folder, keys), None)
        split = _split(name, keys.split, splits)
        rows = iter(splits[split])
        first = next(rows, None)
    columns = tuple(first or ())
    see_columns(name, columns, keys.fields)
    read = DatasetRead(name, keys.config, split, revision, _is_pinned(keys.revision, revision), line)
    return DatasetRows(read, columns, _after(first, rows))


def _is_pinned(named: str | None, read: str | None) -> bool:
    """Whether the suite names the very commit, or a beginning of it: a branch or a tag can come to mean another one."""
    return read is None or (named is not None and len(named) >= _SHORTEST_COMMIT and read.startswith(named))


def _after(first: Mapping[str, Any] | None, rest: Iterator[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    if first is not None:
        yield first
        yield from rest


def _local_folder(suite: Path, name: str) -> Path | None:
    """The folder beside `suite` that is meant, None for a name on the Hub.

    Raises:
        Fault: it lies outside the suite's folder, or is missing.
    """
    as_path = name.startswith((".", "/", "~")) or "\\" in name or ".." in Path(name).parts
    if not as_path and not (suite.parent / name).exists():
        # `datasets` would take a folder of this name below the current one for it.
        if Path(name).exists():
            raise Fault(f"dataset '{name}' lies outside the suite's folder", ["dataset"])
        return None
    try:
        folder = beside(suite, name, "dataset")
    except Fault as fault:
        fault.path = ["dataset"]
        raise
    if not folder.is_dir():
        raise Fault(f"dataset '{name}' is no folder; wanted one, or 'path: {name}' for a single file", ["dataset"])
    return folder


def _local_splits(suite: Path, folder: Path, keys: SourceKeys) -> dict[str, Any]:
    import datasets

    home = suite.parent.resolve()
    if any((folder / each).is_file() for each in _SAVED):
        for state in folder.rglob("state.json"):
            for part in json.loads(state.read_text(encoding="utf-8")).get("_data_files", ()):
                _see_inside(home, state.parent / part["filename"], keys)
        saved = datasets.load_from_disk(str(folder))
        return dict(saved) if isinstance(saved, dict) else {str(saved.split or "train"): saved}
    builder = _builder(str(folder), keys)
    for file in _files(builder):
        _see_inside(home, Path(file), keys)
    return dict(builder.as_streaming_dataset())


def _see_inside(home: Path, file: Path, keys: SourceKeys) -> None:
    if not file.resolve().is_relative_to(home):
        raise Fault(f"dataset '{keys.dataset}' names {file}, outside the suite's folder", ["dataset"])


def _hub_splits(keys: SourceKeys) -> tuple[dict[str, Any], str]:
    """The splits, and the commit of which they are."""
    builder = _builder(str(keys.dataset), keys)
    found = {file: _ON_THE_HUB.match(file) for file in _files(builder)}
    strange = next((file for file, match in found.items() if match is None), None)
    if strange is not None:
        raise Fault(f"dataset '{keys.dataset}' names {strange}, which is not on the Hub", ["dataset"])
    revisions = {match["revision"] for match in found.values() if match is not None}
    return dict(builder.as_streaming_dataset()), "".join(sorted(revisions)[:1])


def _files(builder: Any) -> list[str]:
    return [str(file) for files in (builder.config.data_files or {}).values() for file in files]


def _builder(path: str, keys: SourceKeys) -> Any:
    import datasets
    from datasets.exceptions import DataFilesNotFoundError, DatasetNotFoundError

    try:
        builder = datasets.load_dataset_builder(path, keys.config, revision=keys.revision)
    except DatasetNotFoundError as error:
        if keys.revision is not None and "evision" in str(error):
            raise Fault(f"dataset '{keys.dataset}' has no revision '{keys.revision}'", ["revision"]) from None
        raise Fault(
            f"there is no dataset '{keys.dataset}' on the Hub that you may read, nor a folder of that name beside the"
            " suite",
            ["dataset"],
        ) from None
    except DataFilesNotFoundError:
        raise Fault(f"dataset '{keys.dataset}' has no files of data; wanted {', '.join(_READ)}", ["dataset"]) from None
    except ValueError as error:
        if "onfig" not in str(error):
            raise
        known = datasets.get_dataset_config_names(path, revision=keys.revision)
        told = "has several configs" if keys.config is None else f"has no config '{keys.config}'"
        at = ["dataset" if keys.config is None else "config"]
        raise Fault(f"dataset '{keys.dataset}' {told}; configs: {', '.join(known)}", at) from None
    if builder.name not in _READ:
        told = f"dataset '{keys.dataset}' is made of {builder.name} files; wanted {', '.join(_READ)}"
        raise Fault(told, ["dataset"])
    return builder


def _split(name: str, wanted: str | None, splits: Mapping[str, Any]) -> str:
    known = ", ".join(map(str, splits))
    if wanted is None and len(splits) != 1:
        raise Fault(f"dataset '{name}' has several splits; wanted split: one of {known}", ["dataset"])
    if wanted is not None and wanted not in splits:
        raise Fault(f"dataset '{name}' has no split '{wanted}'; splits: {known}", ["split"])
    return wanted or str(next(iter(splits)))


@contextmanager
def _in_one_line(name: str) -> Iterator[None]:
    """Whatever goes wrong below becomes one sentence; `datasets` shows no bars and logs nothing meanwhile."""
    import datasets

    shown = not datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    loud = datasets.logging.get_verbosity()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    try:
        yield
    except (Fault, GeneratorExit):
        raise
    except Exception as error:  # the library's own, its network's and its file formats': there is no common base
        told = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise Fault(f"dataset '{name}' cannot be read: {told}", ["dataset"]) from None
    finally:
        datasets.logging.set_verbosity(loud)
        if shown:
            datasets.enable_progress_bars()
