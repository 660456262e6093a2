"""Suites as callers of the Python API give them: files, folders, `Suite` values, lists of cases."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.suites.cases import Suite
from pytest_forgetting.suites.detection import is_misspelt_suite, is_suite
from pytest_forgetting.suites.loading import suite_of

if TYPE_CHECKING:
    from pytest_forgetting.suite_loader import SuiteLoader

CaseRow = Mapping[str, Any]
OneSuite = str | os.PathLike[str] | Suite
Suites = OneSuite | Iterable[OneSuite | CaseRow]


def read_suites(suites: Suites, loader: SuiteLoader, here: Iterable[Path], root: Path | None = None) -> list[Suite]:
    """Read what a caller gave as `suites`; a file that is named twice is read once.

    Args:
        suites: a file, a folder, a `Suite`, several of them, or the cases of one QA suite.
        loader: reads files, and applies the run's settings.
        here: folders that relative paths may start from, the first in which there is something counts.
        root: the folder that node ids start from; None: they are the paths as they were found.

    Raises:
        WrongUsage: a path names nothing, or something is none of these.
        SuiteError: a suite cannot be read.
    """
    named: list[Any] = [suites] if isinstance(suites, str | os.PathLike | Suite | Mapping) else _listed(suites)
    rows = [each for each in named if isinstance(each, Mapping)]
    if not named or any(isinstance(each, str | os.PathLike) and not os.fspath(each) for each in named):
        raise WrongUsage("compare: no suites given; wanted a path, a Suite, or a list of cases")
    found: list[Suite] = []
    for each in [one for one in named if not isinstance(one, Mapping)]:
        found += [suite for suite in _taken(each, loader, list(here), root) if not any(_same(suite, o) for o in found)]
    return [*found, *([loader.given(suite_of(rows))] if rows else [])]


def _same(one: Suite, other: Suite) -> bool:
    """Whether both ask the same under the same gate; of one file there may be several, such as the two halves of it."""
    return one is other or _asks(one) == _asks(other)


def _asks(suite: Suite) -> tuple[object, ...]:
    return suite.path.resolve(), suite.role, suite.gate, [(case.id, case.prompt) for case in suite.cases]


def _listed(suites: Any) -> list[Any]:
    if not isinstance(suites, Iterable):
        raise WrongUsage(_unusable(suites))
    return list(suites)


def _taken(given: Any, loader: SuiteLoader, here: list[Path], root: Path | None) -> Iterator[Suite]:
    if isinstance(given, Suite):
        yield loader.given(given)
    elif isinstance(given, str | os.PathLike):
        for path in _suites_at(_located(Path(given), here)):
            yield loader.suite(path, _nodeid(path, root))
    else:
        raise WrongUsage(_unusable(given))


def _unusable(given: object) -> str:
    return f"suites: found {given!r:.60} ({type(given).__name__}); wanted a path, a Suite, or a list of cases"


def _located(path: Path, here: list[Path]) -> Path:
    for folder in here:
        if (folder / path).exists():
            return folder / path if path.is_absolute() or folder != Path() else path
    looked = [str(folder.absolute()) for folder in here if folder != Path()]
    beneath = f" in {' nor in '.join(looked)}" if looked and not path.is_absolute() else ""
    raise WrongUsage(f"{path}: there is no such file or folder{beneath}")


def _nodeid(path: Path, root: Path | None) -> str:
    inside = root is not None and path.resolve().is_relative_to(root.resolve())
    return path.resolve().relative_to(root.resolve()).as_posix() if inside and root is not None else path.as_posix()


def _suites_at(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    inside = [each for each in path.rglob("*") if not _hidden(each.relative_to(path)) and _meant(each)]
    if not inside:
        raise WrongUsage(
            f"{path}: no suite in this folder; wanted YAML with the key 'forgetting:'; name .jsonl files themselves"
        )
    return sorted(inside)


def _meant(path: Path) -> bool:
    return path.is_file() and (is_suite(path) or is_misspelt_suite(path))


def _hidden(path: Path) -> bool:
    """Whether it lies where pytest would not look either, such as in .venv."""
    return any(part.startswith(".") for part in path.parts)
