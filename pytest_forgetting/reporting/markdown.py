"""The comparison as Markdown: the decision and why, the table, what was forgotten, what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_forgetting.comparison.comparison import Comparison
from pytest_forgetting.comparison.outcomes import CaseResult, Graded
from pytest_forgetting.grading.thoughts import without_thoughts
from pytest_forgetting.reporting import terminal
from pytest_forgetting.reporting.markdown_escaping import code, sentence

MOST_BYTES = 900_000
"""Of the whole. GitHub drops a step's summary that is larger than 1024 KiB, all of it."""
SHOWN_CASES = 20
"""Forgotten cases that stand open; more are folded away."""
SHOWN_ROWS = 500
"""Rows of the table."""
SHOWN_ITEMS = 50
"""Of any other list."""
_FRAME = 300
"""Bytes kept free for what folds the list of cases away, and says how many are left out."""


def to_markdown(comparison: Comparison, most: int = MOST_BYTES) -> str:
    """The report's text, of at most `most` bytes in UTF-8: what has no room is counted instead of shown.

    The decision stands there even where `most` leaves no room for anything.
    """
    decision = f"## Forgetting: {comparison.decision.upper()}"
    head, tail = list(_head(comparison)), list(_tail(comparison))
    room = most - _FRAME - _size("\n\n".join([decision, *head, *tail]))
    if room < 0:
        return f"{decision}\n\nThe rest is left out: there is no room for it.\n"
    return "\n\n".join([decision, *head, *_forgotten(comparison, room), *tail]) + "\n"


def _size(text: str) -> int:
    return len(text.encode())


def _head(comparison: Comparison) -> Iterator[str]:
    """Blocks of Markdown up to the counts."""
    yield f"{code(comparison.model.ref)} against {code(comparison.baseline.ref)} · {terminal.extent(comparison)}"
    yield _list(list(_reasons(comparison)))
    yield from _table(comparison)
    if measures := [f"measures of {sentence(line)}" for line in terminal.choices(comparison)]:
        yield _list(measures)
    yield f"**{terminal.counts(comparison)}**"


def _reasons(comparison: Comparison) -> Iterator[str]:
    """What the decision hangs on: every gate that did not pass, and what failed by itself."""
    for suite in comparison.suites:
        for scope in suite.gates:
            if scope.ruling.verdict != "pass":
                yield f"{code(terminal.scope_name(suite, scope))}: {_verdict(terminal.ruling(scope))}"
        if failing := len(suite.failing_cases):
            yield f"{code(suite.suite.name)}: {failing} case{'s' * (failing != 1)} failed without any gate"
    if not any(suite.gates for suite in comparison.suites):
        yield "there was no gate"
    elif comparison.decision == "pass":
        yield "every gate passed"


def _verdict(told: str) -> str:
    word, parted, why = told.partition("  ")
    return f"**{word}** {sentence(why)}" if parted else sentence(told)


def _table(comparison: Comparison) -> Iterator[str]:
    head, rows = terminal.cells(comparison, comparison.confidence)
    cells = (
        [f"&emsp;{code(name)}" if name.startswith(" ") else code(name), *numbers, _verdict(verdict)]
        for name, *numbers, verdict in rows[:SHOWN_ROWS]
    )
    rule = ["---", *["---:"] * (len(head) - 3), "---", "---"]
    yield "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *cells))
    if len(rows) > SHOWN_ROWS:
        yield f"The table has {len(rows) - SHOWN_ROWS} more rows, which are left out."


def _forgotten(comparison: Comparison, room: int) -> Iterator[str]:
    """What was forgotten, as far as `room` bytes go; long lists are folded."""
    entries = [_case(result) for result in terminal.lost_cases(comparison)]
    if not entries:
        return
    fitting = _fitting(entries, room)
    shown, folded = entries[: min(SHOWN_CASES, fitting)], entries[SHOWN_CASES:fitting]
    yield "### Forgotten"
    if shown:
        yield "\n".join(shown)
    if folded:
        yield f"<details><summary>{len(folded)} more</summary>"
        yield "\n".join(folded)
        yield "</details>"
    if fitting < len(entries):
        yield f"{len(entries) - fitting} more are left out, for which there is no room; a report in JSON has them all."


def _fitting(entries: Sequence[str], room: int) -> int:
    """How many of `entries`, each a line of its own, fit into `room` bytes."""
    for n, entry in enumerate(entries):
        room -= _size(entry) + 1
        if room < 0:
            return n
    return len(entries)


def _case(result: CaseResult) -> str:
    case = result.case
    severity = f" · **{case.severity}**" if case.severity else ""
    wanted = f"wanted {code(' or '.join(case.expected))}" if case.expected else f"found: {sentence(result.model.why)}"
    cause = terminal.cause_words(result)
    lines = [
        f"- {code(case.title or result.prompt)} · {code(f'{case.file}:{case.line}')}{severity}",
        f"  - {wanted} · had {_said(result.baseline)} · now {_said(result.model)}",
        *([f"  - cause: {sentence(cause)}"] if cause else []),
    ]
    return "\n".join(lines)


def _said(graded: Graded) -> str:
    return code(without_thoughts(graded.answer)) or "nothing"


def _tail(comparison: Comparison) -> Iterator[str]:
    """Causes, advice and what the audit found; no block where there is none."""
    causes = [sentence(line) for line in terminal.causes(comparison)]
    advice = [f"**next**: {sentence(line.removeprefix('next: '))}" for line in terminal.advice(comparison)]
    if causes or advice:
        yield "### Why, and what to try"
        yield _list([*causes, *advice])
    if findings := [f"**{finding.severity}**: {sentence(finding.detail)}" for finding in comparison.audit]:
        yield "### Audit"
        yield _list(findings)


def _list(items: Sequence[str]) -> str:
    left = len(items) - SHOWN_ITEMS
    more = [f"… and {left} more, which are left out"] if left > 0 else []
    return "\n".join(f"- {item}" for item in (*items[:SHOWN_ITEMS], *more))
