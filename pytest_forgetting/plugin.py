"""pytest's hooks, each a few lines. Without ``--model`` nothing of the package but this thin layer is imported."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_forgetting import model_folders, options
from pytest_forgetting.fixtures import ACTIVE, baseline, candidate, finetuned, forgetting
from pytest_forgetting.suites.detection import is_misspelt_suite, is_suite

if TYPE_CHECKING:
    from pytest_forgetting.session.collection import SuiteFile

__all__ = ["ACTIVE", "baseline", "candidate", "finetuned", "forgetting"]
"""Fixtures, which pytest finds here, and the name of the part that does the work."""

_TAKEN = pytest.StashKey[list[str]]()
_UNCOLLECTED = pytest.StashKey[list[Path]]()
_QUESTIONS = pytest.StashKey[list[str]]()
"""Files of questions in folders, which are no suites unless they are named."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the options that no other plugin can own."""
    options.register(parser)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, object, object]:
    """Register ``--model`` and its like behind the conftests, so that one that owns the name keeps it."""
    options.forget_paths(early_config.known_args_namespace, args)
    model_folders.keep_out(early_config, args)
    result = yield
    early_config.stash[_TAKEN] = options.register_short_names(parser)
    options.see_names(parser, args)
    return result


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Do what does one thing and stops: ``--forgetting-init``, ``-schema``, ``-explain``, ``-import`` and ``-lint``."""
    here = config.invocation_params.dir
    if (folder := config.getoption("forgetting_init")) is not None:
        from pytest_forgetting.commands.starter import write_starter_suites

        return write_starter_suites(here, folder)
    if (schema := config.getoption("forgetting_schema")) is not None:
        from pytest_forgetting.commands.schemas import print_schema

        return print_schema(schema)
    if (place := config.getoption("forgetting_explain")) is not None:
        from pytest_forgetting.commands.explaining import print_page

        return print_page(place)
    if (files := config.getoption("forgetting_import")) is not None:
        from pytest_forgetting.importing.command import import_files

        return import_files(files, here, overwrite=config.getoption("forgetting_overwrite") is not None)
    if config.getoption("forgetting_lint") is not None:
        from pytest_forgetting.linting.command import lint_named

        data = options.chosen(config, "training-data") or ()
        python = str(options.chosen(config, "allow-python")).lower() in ("true", "1", "yes", "on")
        return lint_named(config.args, [data] if isinstance(data, str) else data, here, allow_python=python)
    options.see_companions(config)
    return None


def pytest_configure(config: pytest.Config) -> None:
    """Register the run where a model was named; else see that no suite was named in vain."""
    config.addinivalue_line("markers", "forgetting(suite, category, severity): a case or gate of a forgetting suite")
    if config.option.help:
        return
    model_folders.see_configuration(config)
    options.see_keys(config)
    if options.is_active(config):
        from pytest_forgetting.ascii_fallback import ascii_fallback
        from pytest_forgetting.session.run import ForgettingRun

        fallback = ExitStack()
        fallback.enter_context(ascii_fallback())
        config.add_cleanup(fallback.close)
        try:
            config.pluginmanager.register(ForgettingRun(config), ACTIVE)
        except pytest.UsageError as error:
            raise pytest.UsageError("\n".join([str(error), *_owned(config)])) from None
    else:
        config.stash[_UNCOLLECTED] = []
        _refuse_suites_without_model(config)


def _refuse_suites_without_model(config: pytest.Config) -> None:
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return
    for argument in config.args:
        path = Path(config.invocation_params.dir, argument.partition("::")[0])
        if path.is_file() and (path.suffix == ".jsonl" or is_suite(path)):
            raise pytest.UsageError(f"{argument} is a forgetting suite: name the model to test, {_option(config)} REF")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Nothing that came with a model is collected or imported."""
    return True if model_folders.is_model_folder(collection_path, config) else None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> SuiteFile | None:
    """Collect suites where a model was named; else remember that there were some."""
    uncollected = parent.config.stash.get(_UNCOLLECTED, None)
    named = file_path.suffix == ".jsonl" and parent.session.isinitpath(file_path)
    if not (named or is_suite(file_path) or (uncollected is None and is_misspelt_suite(file_path))):
        told = uncollected is None and file_path.suffix == ".jsonl" and _is_asked_for(file_path, parent.session)
        if told and _holds_questions(file_path):
            parent.config.stash.setdefault(_QUESTIONS, []).append(_from_root(file_path, parent.config))
        return None
    if uncollected is not None:
        if _is_asked_for(file_path, parent.session):
            uncollected.append(file_path)
        return None
    from pytest_forgetting.session.collection import SuiteFile

    if file_path.is_relative_to(parent.config.rootpath):
        return SuiteFile.from_parent(parent, path=file_path)
    # pytest would give one and the same id to all files outside of its root.
    return SuiteFile.from_parent(parent, path=file_path, nodeid=_from_root(file_path, parent.config))


def _is_asked_for(path: Path, session: pytest.Session) -> bool:
    """Whether the command line names it or a folder above it: pytest also looks at all files beside a named one."""
    return any(session.isinitpath(each) for each in (path, *path.parents))


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say which short option names belong to somebody else."""
    return _owned(config) if options.is_active(config) else []


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    """A line of hint for what was left alone: suites without a model, questions that nobody named."""
    uncollected = config.stash.get(_UNCOLLECTED, [])
    if not uncollected:
        return _unasked(config)
    many = f"{len(uncollected)} suite{'s' * (len(uncollected) != 1)}"
    return [f"forgetting: {many} not collected; name the model to test, {_option(config)} REF"]


def _holds_questions(path: Path) -> bool:
    from pytest_forgetting.suites.sources import holds_questions

    return holds_questions(path)


def _from_root(path: Path, config: pytest.Config) -> str:
    """As node ids name it; outside of the root, where ``-c`` has moved that, by the way that leads there."""
    try:
        return Path(os.path.relpath(path, config.rootpath)).as_posix()
    except ValueError:  # another drive of Windows
        return path.as_posix()


def _unasked(config: pytest.Config) -> list[str]:
    found = config.stash.get(_QUESTIONS, [])
    run = config.pluginmanager.get_plugin(ACTIVE)
    if not found or run is None or config.get_verbosity() < 0:
        return []
    return [
        f"forgetting: {name} is no suite by itself: name it on the command line, or as source: in a suite"
        for name in found
        if name not in run.loader.files
    ]


def _option(config: pytest.Config) -> str:
    """The name by which a model is named here: somebody else may own the short one."""
    return "--forgetting-model" if "--model" in config.stash.get(_TAKEN, []) else "--model"


def _owned(config: pytest.Config) -> list[str]:
    return [
        f"forgetting: {name} belongs to another plugin or conftest.py; use --forgetting-{name[2:]}"
        for name in config.stash.get(_TAKEN, [])
    ]
