"""The gate without pytest: `compare` two models, `assert_retained` what the first knew."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_forgetting.comparison.comparison import Comparison, Judge, decide
from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.reading import read_settings
from pytest_forgetting.reporting import terminal
from pytest_forgetting.settings import Settings, fraction
from pytest_forgetting.shelf import Shelf
from pytest_forgetting.suites.detection import is_suite

if TYPE_CHECKING:
    from pytest_forgetting.suites.cases import Suite

Reference = str | os.PathLike[str]
Suites = Reference | Iterable[Reference]


def compare(
    *,
    model: Reference,
    baseline: Reference | None = None,
    suites: Suites,
    max_drop: float | str | None = None,
    **options: Any,
) -> Comparison:
    """Ask both models all `suites` and say what was retained, forgotten or learned.

    Answers are kept in the user's cache, as under pytest.

    Args:
        model: the fine-tuned model, as ``--model`` names it.
        baseline: the model it was tuned from; None: the one that an adapter records.
        suites: a suite file, a folder of them, or several of either.
        max_drop: overrides the suites' overall thresholds, not their category thresholds.
        options: fields of `Settings`, such as ``device``, ``dtype``, ``batch_size``, ``limit``, ``no_store``.

    Raises:
        WrongUsage: a reference, an option or a path names nothing.
        SuiteError: a suite cannot be read.
        CannotAnswer: a model cannot be asked.
    """
    from pytest_forgetting.participants import open_evaluation, store_folder

    settings = _settings({"model": model, "baseline": baseline, "max_drop": max_drop, **options})
    shelf = Shelf(settings)
    read = [shelf.suite(path, str(path)) for path in _files(suites)]
    temporary = Path(tempfile.mkdtemp(prefix="pytest-forgetting-")) if settings.no_store else None
    try:
        evaluation = open_evaluation(settings, temporary or store_folder(settings.store))
        try:
            evaluation.check_recordings(shelf.whole(suite.nodeid for suite in read))
            evaluation.ensure([(suite, case) for suite in read for case in suite.cases])
            return evaluation.comparison([evaluation.judge_suite(suite, suite.cases) for suite in read])
        finally:
            evaluation.close()
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def assert_retained(result: Comparison, max_drop: float | str | None = None) -> None:
    """Fail where the gate would: a drop beyond a threshold, or a run that could not have shown any.

    Args:
        result: of `compare`.
        max_drop: what each general suite may lose as a whole, in the place of its own threshold.

    Raises:
        AssertionError: with the table and the forgotten cases.
    """
    __tracebackhide__ = True
    if max_drop is not None:
        result = _judged_anew(result, _share("max_drop", max_drop))
    if result.fails_build:
        raise AssertionError("\n".join(_told(result)))


def _settings(given: dict[str, Any]) -> Settings:
    """The same checks as on the command line."""
    known = Settings.__dataclass_fields__.keys() - {"reports", "record"}
    strange = sorted(given.keys() - known)
    if strange:
        raise WrongUsage(f"compare: there is no option {', '.join(strange)}; there are {', '.join(sorted(known))}")
    if given["model"] is None:
        raise WrongUsage("compare: no model given")
    if given["max_drop"] is not None:
        _share("max_drop", given["max_drop"])
    texts = {name: _as_text(value) for name, value in given.items() if value is not None}
    return read_settings(lambda name: texts.get(name.replace("-", "_")), Path.cwd())


def _as_text(value: Any) -> str:
    """An option's value as it would stand on the command line."""
    if isinstance(value, os.PathLike):
        return str(os.fspath(value))
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _share(name: str, value: float | str) -> Fraction:
    """`value` as it is written: 0.1 is one tenth."""
    try:
        return fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise WrongUsage(f"{name} {value!r}; wanted a share from 0 to 1, such as 0.1, '10%' or '1/10'") from None


def _files(suites: Suites) -> Iterator[Path]:
    named = [suites] if isinstance(suites, str | os.PathLike) else list(suites)
    if not named or not all(map(os.fspath, named)):
        raise WrongUsage("compare: no suites given")
    seen: set[Path] = set()
    for path in (each for name in named for each in _suites_at(Path(name))):
        if path.resolve() not in seen:
            seen.add(path.resolve())
            yield path


def _suites_at(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise WrongUsage(f"{path}: there is no such file or folder")
    inside = [each for each in path.rglob("*") if not _hidden(each.relative_to(path)) and is_suite(each)]
    if not inside:
        raise WrongUsage(f"{path}: no suite in this folder; a suite is YAML with the key 'forgetting:'")
    return sorted(inside)


def _hidden(path: Path) -> bool:
    """Whether it lies where pytest would not look either, such as in .venv."""
    return any(part.startswith(".") for part in path.parts)


def _judged_anew(result: Comparison, max_drop: Fraction) -> Comparison:
    inert = any(finding.severity == "fatal" and finding.finding == "adapter" for finding in result.audit)
    judge = Judge(float(str(result.settings.get("confidence", 0.95))), inert)
    suites = tuple(judge.suite(_allowing(suite.suite, max_drop), suite.results) for suite in result.suites)
    failing = sum(len(suite.failing_cases) for suite in suites)
    decision = decide([scope.ruling for suite in suites for scope in suite.gates], failing)
    return replace(result, suites=suites, decision=decision)


def _allowing(suite: Suite, max_drop: Fraction) -> Suite:
    return replace(suite, gate=replace(suite.gate, max_drop=max_drop))


def _told(result: Comparison) -> Iterator[str]:
    yield terminal.headline(result)
    yield from terminal.findings(result)
    yield from terminal.table(result)
    yield from terminal.forgotten(result)
    yield from terminal.causes(result)
    yield from terminal.advice(result)
    yield terminal.counts(result)
