"""Reading suites: every finding of a file at once, each with file, line and column."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from os import PathLike
from pathlib import Path, PurePath
from typing import Any

from pydantic import BaseModel, ValidationError

from pytest_forgetting.suites.building import CaseBuilder, Fault
from pytest_forgetting.suites.cases import GatePolicy, Message, Suite
from pytest_forgetting.suites.findings import is_unknown_key, told
from pytest_forgetting.suites.key_types import Columns
from pytest_forgetting.suites.positions import SIZE_LIMIT, Document
from pytest_forgetting.suites.prompts import Prompting, template_fault
from pytest_forgetting.suites.refusal import refusal
from pytest_forgetting.suites.schema import MEANINGFUL, MEASURING, OF_DATASETS, GateKeys, SourceKeys, SuiteKeys
from pytest_forgetting.suites.sources import case_keys, read_rows, see_fields, source_file
from pytest_forgetting.suites.spelling import hint

_MOST_BAD_ROWS = 5
"""Of a dataset: where one row lacks something, mostly all do."""
_A_SOURCE = "a file, or {path: …, fields: {…}}, or {dataset: …, split: …, fields: {…}}"
HINTED = 20
"""Unknown categories of which it is told what may have been meant."""


def load_suite(
    path: str | Path, *, known_checks: Collection[str] = (), allow_python: bool = False, shown_as: str | None = None
) -> Suite:
    """Read a suite: a YAML file, or a ``.jsonl`` file of questions and answers with all defaults.

    Args:
        path: the file.
        known_checks: names of checks that users registered.
        allow_python: whether checks may name Python functions.
        shown_as: the file's name in messages.

    Raises:
        SuiteError: one line per finding, ``file:line:column: what was found; what was wanted``.
    """
    if not isinstance(path, str | PathLike):
        raise refusal([f"load_suite: found {path!r:.60} ({type(path).__name__}); wanted the path of a suite"])
    path, shown = Path(path), shown_as or str(path)
    builder = CaseBuilder(known_checks, allow_python)
    if path.suffix == ".jsonl":
        keys = SuiteKeys(forgetting="qa")
        builder.start(keys, Prompting())
        _read_source(builder, _resolved(path, shown), {}, shown)
        return _suite(path, shown, keys, builder)
    document = Document(_text(path, shown), shown)
    keys = _suite_keys(document)
    builder.findings += _meaningless(document, keys)
    builder.start(keys, _prompting(document, keys))
    _read_cases(builder, document, keys, shown)
    _read_sources(builder, document, keys, path, shown)
    builder.findings += _unknown_categories(document, keys, {case.category for case in builder.cases})
    return _suite(path, shown, keys, builder, document.line(["gate"]) if "gate" in document.value else 1)


def suite_of(rows: Iterable[Mapping[str, Any]], name: str = "cases") -> Suite:
    """A QA suite of all defaults made of `rows`, such as ``{"question": …, "answer": …}``, as of a ``.jsonl`` file.

    Args:
        rows: the cases; keys that mean nothing in a case are left out.
        name: of the suite; cases are counted from 1 in messages, ``cases:3``.

    Raises:
        SuiteError: one line per finding.
    """
    builder, keys = CaseBuilder((), False), SuiteKeys(forgetting="qa")
    builder.start(keys, Prompting())
    for number, row in enumerate(rows, 1):
        try:
            builder.add(case_keys(row, {}), name, number)
        except Fault as fault:
            builder.findings += [f"{name}:{number}: {each}" for each in (fault, *fault.others)]
    return _suite(Path(name), name, keys, builder)


def _read_cases(builder: CaseBuilder, document: Document, keys: SuiteKeys, shown: str) -> None:
    lines = document.lines(["cases"])
    for n, row in enumerate(keys.cases):
        try:
            builder.add(row, shown, lines[n])
        except Fault as fault:
            for each in (fault, *fault.others):
                builder.findings.append(f"{document.where(['cases', n, *each.path], key=each.key)}: {each}")


def _read_sources(builder: CaseBuilder, document: Document, keys: SuiteKeys, path: Path, shown: str) -> None:
    for place, given in _sources(document, keys):
        try:
            see_fields(given.fields)
            if given.dataset is not None:
                _read_dataset(builder, path, given, shown, document.line(place))
            else:
                file = source_file(path, str(given.path))
                _read_source(builder, file, given.fields, _named(str(given.path), file, path, shown))
        except Fault as fault:
            builder.findings.append(f"{document.where([*place, *fault.path], key=fault.key)}: {fault}")


def _named(given: str, file: Path, suite: Path, shown: str) -> str:
    """A source's name in messages and reports: from where the suite's is, if it was given from the root too."""
    beside = file.relative_to(suite.parent.resolve()) if PurePath(given).is_absolute() else given
    return (PurePath(shown).parent / beside).as_posix()


def _read_dataset(builder: CaseBuilder, path: Path, given: SourceKeys, shown: str, line: int) -> None:
    """Rows of a dataset are cases at the line that names it."""
    from pytest_forgetting.suites.dataset_rows import open_dataset

    dataset, bad = open_dataset(path, given, line), 0
    for number, row in dataset.case_rows(given.fields):
        if builder.passes_over(row):
            continue
        try:
            builder.add(row, shown, line)
        except Fault as fault:
            bad += 1
            if bad <= _MOST_BAD_ROWS:
                where = f"{shown}:{line}: row {number} of {dataset.read.name}"
                builder.findings.append(f"{where}: {fault}; its columns: {', '.join(dataset.columns)}")
    if bad > _MOST_BAD_ROWS:
        builder.findings.append(f"{shown}:{line}: and {bad - _MOST_BAD_ROWS} more rows of {dataset.read.name}")
    builder.datasets.append(dataset.read)


def _resolved(path: Path, shown: str) -> Path:
    """`path`, which the user has named, with the links on the way followed."""
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise refusal([f"{shown}:1:1: cannot be read: {error}"]) from None


def _text(path: Path, shown: str) -> str:
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise refusal([f"{shown}:1:1: larger than {SIZE_LIMIT >> 20} MiB; put the cases into a source file"])
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refusal([f"{shown}:1:1: byte {error.start} is not UTF-8"]) from None
    except OSError as error:
        raise refusal([f"{shown}:1:1: cannot be read: {error.strerror}"]) from None


def _suite_keys(document: Document) -> SuiteKeys:
    try:
        return SuiteKeys.model_validate(document.value)
    except ValidationError as error:
        raise refusal(list(explained(document, error, SuiteKeys))) from None


def explained(
    document: Document, error: ValidationError, model: type[BaseModel], within: Sequence[str | int] = ()
) -> Iterator[str]:
    """pydantic's findings about what stands at `within`, each with its place in the file."""
    for finding in error.errors():
        path = [part for part in finding["loc"] if not str(part).startswith("function-")]
        where = document.where([*within, *path], key=is_unknown_key(dict(finding)))
        yield f"{where}: {told(dict(finding), [*within, *path], model)}"


def _meaningless(document: Document, keys: SuiteKeys) -> Iterator[str]:
    """Keys that say nothing in a suite of this kind: their author expects something that would not happen."""
    for name, kinds in MEANINGFUL.items():
        if name in keys.model_fields_set and keys.forgetting not in kinds:
            said = f"'{name}' has no meaning in a {keys.forgetting} suite"
            yield f"{document.where([name], key=True)}: {said}; it has one in {' and '.join(kinds)}"
    if keys.samples > 1 and keys.temperature == 0 and keys.forgetting in MEANINGFUL["samples"]:
        said = f"samples: found {keys.samples} without 'temperature'; wanted one above 0, else all samples are the same"
        yield f"{document.where(['samples'])}: {said}"
    for name in ("template", "system", "few_shot"):
        if keys.messages is not None and name in keys.model_fields_set:
            where = document.where([name], key=True)
            yield f"{where}: '{name}' has no meaning beside 'messages'; wanted it among the messages"
    if keys.forgetting == "text":
        for name in sorted(keys.gate.model_fields_set.difference(MEASURING)):
            where = document.where(["gate", name], key=True)
            yield f"{where}: '{name}' has no meaning in a text suite; wanted 'max_increase'"
    if keys.gate.max_increase is not None and keys.forgetting != "text":
        where = document.where(["gate", "max_increase"], key=True)
        yield f"{where}: 'max_increase' is for text suites; wanted 'max_drop'"


def _prompting(document: Document, keys: SuiteKeys) -> Prompting:
    if keys.template is not None and (fault := template_fault(keys.template)):
        raise refusal([f"{document.where(['template'])}: template: {fault}"])
    turns = tuple(Message(turn.role, turn.content) for turn in keys.messages or ())
    if turns and not any("{question}" in turn.content for turn in turns):
        raise refusal([f"{document.where(['messages'])}: messages: wanted '{{question}}' in one of them"])
    shots = tuple((shot.question, shot.answer) for shot in keys.few_shot)
    stop = None if keys.stop is None else tuple(keys.stop)
    asked = ("max_new_tokens", "think_tokens", "samples", "temperature", "delimiter")
    return Prompting(keys.template, turns, keys.system, shots, stop, **{name: getattr(keys, name) for name in asked})


def _sources(document: Document, keys: SuiteKeys) -> list[tuple[list[str | int], SourceKeys]]:
    """Each source with the way to it in the document."""
    listed = isinstance(keys.source, list)
    given = [] if keys.source is None else keys.source if listed else [keys.source]
    sources: list[tuple[list[str | int], SourceKeys]] = []
    findings: list[str] = []
    for n, one in enumerate(given):
        place: list[str | int] = ["source", n] if listed else ["source"]
        try:
            sources.append((place, _source_keys(one)))
        except ValidationError as error:
            findings += explained(document, error, SourceKeys, place)
        except Fault as fault:
            findings.append(f"{document.where([*place, *fault.path], key=fault.key)}: source: {fault}")
    if findings:
        raise refusal(findings)
    return sources


def _source_keys(given: Any) -> SourceKeys:
    if not isinstance(given, str | dict) or not given:
        raise Fault(f"found {given!r:.60}; wanted {_A_SOURCE}")
    keys = SourceKeys(path=given) if isinstance(given, str) else SourceKeys.model_validate(given)
    if (keys.path is None) is (keys.dataset is None):
        found = "both path and dataset" if keys.path else "neither path nor dataset"
        raise Fault(f"found {found}; wanted one of them")
    for name in OF_DATASETS:
        if keys.dataset is None and getattr(keys, name) is not None:
            raise Fault(f"'{name}' has no meaning beside 'path'; it has one beside 'dataset'", [name], key=True)
    return keys


def _read_source(builder: CaseBuilder, file: Path, fields: Mapping[str, Columns], shown: str) -> None:
    found = False
    try:
        for line, row in read_rows(file, fields):
            if builder.passes_over(row):
                continue
            found = True
            try:
                builder.add(row, shown, line)
            except Fault as fault:
                builder.findings += [f"{shown}:{line}: {each}" for each in (fault, *fault.others)]
    except Fault as fault:
        builder.findings.append(f"{shown}:{fault.place}: {fault}")
    else:
        if not found:
            builder.findings.append(f"{shown}:1: holds no cases; wanted some")


def _unknown_categories(document: Document, keys: SuiteKeys, categories: Collection[str]) -> Iterator[str]:
    """Thresholds for categories that no case has; silent where there are no cases at all, which is told by itself."""
    given = keys.gate.category_max_drop
    if not isinstance(given, dict) or not categories:
        return
    known = sorted(categories)
    for n, name in enumerate(sorted(set(given) - set(categories))):
        where = document.where(["gate", "category_max_drop", name], key=True)
        # Each name is compared with every category: of thousands that would take hours.
        meant = f"; {hint(name, known, label='categories')}" if n < HINTED else ""
        yield f"{where}: no case has the category '{name}'{meant}"


def _suite(path: Path, shown: str, keys: SuiteKeys, builder: CaseBuilder, gate_line: int = 1) -> Suite:
    if not builder.cases and not builder.findings:
        builder.findings.append(f"{shown}:1:1: the suite is empty; wanted cases, or a source with some")
    if builder.findings:
        raise refusal(builder.findings)
    return Suite(
        path=path,
        name=keys.name or path.stem,
        kind=keys.forgetting,
        cases=tuple(builder.cases),
        role=keys.role,
        gate=_policy(keys.gate),
        gate_line=gate_line,
        fail_on=keys.fail_on,
        nodeid=shown,
        datasets=tuple(builder.datasets),
    )


def _policy(keys: GateKeys) -> GatePolicy:
    given = keys.category_max_drop
    return GatePolicy(
        max_drop=keys.max_drop,
        category_max_drop=given if isinstance(given, dict) else {},
        every_category_max_drop=given if isinstance(given, Fraction) else None,
        rule=keys.rule,
        min_gain=keys.min_gain,
        min_retention=keys.min_retention,
        max_increase=keys.max_increase,
    )
