"""The gate without pytest: `compare` two models, `assert_retained` what the first knew."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_forgetting.comparison.comparison import Comparison, Judge, SuiteResult, blocks, decide
from pytest_forgetting.errors import WrongUsage
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

    settings = _settings(model, baseline, max_drop, options)
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
    if _fails(result):
        raise AssertionError("\n".join(_told(result)))


def _settings(
    model: Reference, baseline: Reference | None, max_drop: float | str | None, options: dict[str, Any]
) -> Settings:
    known = Settings.__dataclass_fields__.keys() - {"model", "baseline", "max_drop", "reports", "record"}
    strange = sorted(options.keys() - known)
    if strange:
        raise WrongUsage(f"compare: there is no option {', '.join(strange)}; there are {', '.join(sorted(known))}")
    allowed = None if max_drop is None else _share("max_drop", max_drop)
    named = None if baseline is None else os.fspath(baseline)
    return Settings(model=os.fspath(model), baseline=named, max_drop=allowed, **options)


def _share(name: str, value: float | str) -> Fraction:
    """`value` as it is written: 0.1 is one tenth."""
    try:
        return fraction(str(value))
    except ValueError:
        raise WrongUsage(f"{name} {value!r}; wanted a share from 0 to 1, such as 0.1, '10%' or '1/10'") from None


def _files(suites: Suites) -> Iterator[Path]:
    named = [suites] if isinstance(suites, str | os.PathLike) else list(suites)
    if not named:
        raise WrongUsage("compare: no suites given")
    for path in map(Path, named):
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*") if is_suite(each))
            if not inside:
                raise WrongUsage(f"{path}: no suite in this folder; a suite is YAML with the key 'forgetting:'")
            yield from inside
        elif path.is_file():
            yield path
        else:
            raise WrongUsage(f"{path}: there is no such file or folder")


def _judged_anew(result: Comparison, max_drop: Fraction) -> Comparison:
    inert = any(finding.severity == "fatal" and finding.finding == "adapter" for finding in result.audit)
    judge = Judge(float(str(result.settings.get("confidence", 0.95))), inert)
    suites = tuple(judge.suite(_allowing(suite.suite, max_drop), suite.results) for suite in result.suites)
    failing = sum(len(suite.failing_cases) for suite in suites)
    decision = decide([scope.ruling for suite in suites for scope in suite.gates], failing)
    return replace(result, suites=suites, decision=decision)


def _allowing(suite: Suite, max_drop: Fraction) -> Suite:
    return replace(suite, gate=replace(suite.gate, max_drop=max_drop))


def _fails(result: Comparison) -> bool:
    decided = any(
        scope.ruling.verdict != "inconclusive"
        for suite in result.suites
        if suite.suite.role == "general"
        for scope in suite.gates
    )
    return any(suite.failing_cases or _blocked(suite, decided) for suite in result.suites)


def _blocked(suite: SuiteResult, general_decided: bool) -> bool:
    return any(blocks(scope.ruling, "warn", general_decided=general_decided) for scope in suite.gates)


def _told(result: Comparison) -> Iterator[str]:
    yield terminal.headline(result)
    yield from terminal.findings(result)
    yield from terminal.table(result)
    yield from terminal.forgotten(result)
    yield terminal.counts(result)
