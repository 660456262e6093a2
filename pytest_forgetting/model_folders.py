"""Folders of models: pytest collects, imports and configures nothing from them, as they came with a download."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_forgetting import options

_SIDES = ("model", "baseline")
_MARKS = ("config.json", "adapter_config.json")
FOLDERS = pytest.StashKey[frozenset[Path]]()
"""Of the models that a run compares."""


def keep_out(config: pytest.Config, args: list[str]) -> None:
    """Import no conftest of the models' folders, be they named like tests or lie among them; to be called early.

    A folder in which the run itself takes place is the user's own.

    Args:
        config: as far as it is known before conftests are loaded.
        args: the command line with what environment and ini add to it.
    """
    here = config.invocation_params.dir
    own = [here, *(Path(here, path.partition("::")[0]) for path in config.known_args_namespace.file_or_dir)]
    own = [path.resolve() for path in own]
    named = {Path(os.path.abspath(here / ref)) for ref in _refs(config, args)}  # noqa: PTH100 - links stay as they are
    folders = {path for path in named if any((path / mark).is_file() for mark in _MARKS)}
    folders |= {path.resolve() for path in folders}
    theirs = {path for path in folders if not any(each.is_relative_to(path.resolve()) for each in own)}
    config.stash[FOLDERS] = frozenset(theirs)
    for path in theirs:
        # The way by which pytest knows which conftests it has imported; here: none, and there is none to import.
        config.pluginmanager._dirpath2confmods[path] = []


def is_model_folder(path: Path, config: pytest.Config) -> bool:
    """Whether `path` is the folder of a model."""
    folders = config.stash.get(FOLDERS, frozenset())
    return bool(folders) and (path in folders or (path.is_symlink() and path.resolve() in folders))


def see_configuration(config: pytest.Config) -> None:
    """See that pytest has not taken its configuration from a model's folder, which could switch anything on.

    Raises:
        UsageError: it has.
    """
    ini = config.inipath
    if ini is None or config.known_args_namespace.inifilename:
        return
    if any(ini.resolve().is_relative_to(folder) for folder in config.stash.get(FOLDERS, ())):
        raise pytest.UsageError(
            f"{ini} lies in the model's folder, and pytest took it for its configuration; write --model=PATH, with '=',"
            " or name the suites"
        )


def _refs(config: pytest.Config, args: list[str]) -> Iterator[str]:
    """What the user may have meant for a model, wherever it was said."""
    names = [f"--{prefix}{side}" for prefix in ("", f"{options.PREFIX}-") for side in _SIDES]
    yield from (value for name, value in itertools.pairwise(args) if name in names)
    yield from (value for name, _, value in map(_parted, args) if name in names and value)
    for side in _SIDES:
        if given := options.chosen(config, side):
            yield str(given)


def _parted(argument: str) -> tuple[str, str, str]:
    return argument.partition("=")
