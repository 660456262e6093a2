"""The comparison on GitHub Actions: annotations at the suites' lines, and the summary of a step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_forgetting.comparison.comparison import Comparison
from pytest_forgetting.comparison.outcomes import CaseResult
from pytest_forgetting.comparison.scopes import ScopeResult, SuiteResult
from pytest_forgetting.grading.thoughts import without_thoughts
from pytest_forgetting.reporting.clipping import clipped
from pytest_forgetting.reporting.markdown import MOST_BYTES, to_markdown
from pytest_forgetting.reporting.terminal import ruling, scope_name

MOST_ANNOTATIONS = 10
"""Of one kind in a step: GitHub drops the others."""
MOST_CHARACTERS = 1000
"""Of a message's line."""


def append_summary(comparison: Comparison, path: Path) -> str | None:
    """Append the comparison as Markdown to the summary of a step, behind what other tools have written there.

    Returns:
        What there is to say where it had no room; None where all is well.

    Raises:
        OSError: the file cannot be written.
    """
    taken = path.stat().st_size if path.exists() else 0
    text = f"\n{to_markdown(comparison, MOST_BYTES - taken - 1)}" if taken else to_markdown(comparison)
    if taken + len(text.encode()) > MOST_BYTES:
        return f"nothing was added to the step's summary: {path} has {taken} bytes, near GitHub's limit"
    with path.open("a", encoding="utf-8") as file:
        file.write(text)
    return None


def annotation_lines(comparison: Comparison, workspace: Path) -> Iterator[str]:
    """Workflow commands, one a line: errors for what fails the build, warnings for gates that could not decide.

    Args:
        comparison: of the run.
        workspace: the root of the checkout, which files are named from.
    """
    gates = [(suite, scope) for suite in comparison.suites for scope in suite.gates]
    failing = [pair for pair in gates if comparison.blocks(pair[1])]
    undecided = [pair for pair in gates if pair not in failing and pair[1].ruling.verdict == "inconclusive"]
    cases = [(suite, result) for suite in comparison.suites for result in suite.failing_cases]
    errors = [_gate("error", *pair, workspace) for pair in failing]
    yield from _first(errors + [_case(*pair, workspace) for pair in cases], "error")
    yield from _first([_gate("warning", *pair, workspace) for pair in undecided], "warning")


def _first(commands: Sequence[str], kind: str) -> Iterator[str]:
    """As many as GitHub shows; the last of them says how many there are beside."""
    if len(commands) <= MOST_ANNOTATIONS:
        yield from commands
        return
    yield from commands[: MOST_ANNOTATIONS - 1]
    left = len(commands) - MOST_ANNOTATIONS + 1
    yield command(kind, f"{left} more gates and cases: see the summary of this step", title="Forgetting")


def _gate(kind: str, suite: SuiteResult, scope: ScopeResult, workspace: Path) -> str:
    file, line = _seen_from(workspace, suite.suite.path), str(suite.suite.gate_line)
    title = f"{clipped(scope_name(suite, scope))}: {scope.ruling.verdict.upper()}"
    return command(kind, ruling(scope), file=file, line=file and line, title=title)


def _case(suite: SuiteResult, result: CaseResult, workspace: Path) -> str:
    case = result.case
    file = _seen_from(workspace, _home(suite, result))
    had, has = (clipped(without_thoughts(side.answer).strip()) for side in (result.baseline, result.model))
    told = [case.title or result.prompt, result.model.why, f'had "{had}"', f'now "{has}"']
    title = "must pass" if case.require_pass else f"{case.severity} case forgotten"
    return command(
        "error", *told, file=file, line=file and str(case.line), title=f"{clipped(suite.suite.name)}: {title}"
    )


def _home(suite: SuiteResult, result: CaseResult) -> Path:
    """The file that a case stands in: a source beside its suite, or the suite."""
    file, folder, path = Path(result.case.file), Path(suite.suite.nodeid).parent, suite.suite.path
    return path.parent / file.relative_to(folder) if file.is_relative_to(folder) else path


def _seen_from(workspace: Path, file: Path) -> str | None:
    """The path of `file` below the checkout; None where it lies outside, which no annotation can point to."""
    if file.is_relative_to(workspace):
        return file.relative_to(workspace).as_posix()
    try:
        root, path = workspace.resolve(), file.resolve()
    except (OSError, RuntimeError, ValueError):  # a name that no file system has, a loop of links
        return None
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else None


def command(kind: str, *message: str, **properties: str | None) -> str:
    """A workflow command, escaped as GitHub's toolkit does; empty properties and lines are left out.

    `::error file=suites/qa.yaml,line=3,title=Capitals%3A FAIL::40 %25 forgotten`
    """
    named = [f"{name}={_escaped(value, ':,')}" for name, value in properties.items() if value is not None]
    lines = [clipped(line, MOST_CHARACTERS) for line in message]
    return f"::{kind} {','.join(named)}::{_escaped(chr(10).join(filter(None, lines)))}"


def _escaped(text: str, more: str = "") -> str:
    return "".join(f"%{ord(char):02X}" if char in f"%\r\n{more}" else char for char in text)
