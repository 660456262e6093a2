"""The comparison as lines for a terminal: a table, the counts, the forgotten cases, what to do next."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from math import isfinite

from tabulate import tabulate

from pytest_forgetting.comparison.causes import cause_of, evidence_of
from pytest_forgetting.comparison.chance import choosing
from pytest_forgetting.comparison.comparison import Comparison
from pytest_forgetting.comparison.drift import Drift
from pytest_forgetting.comparison.formatting import amount, growth, nats, percent
from pytest_forgetting.comparison.outcomes import CaseResult, Graded
from pytest_forgetting.comparison.scopes import ScopeResult, SuiteResult
from pytest_forgetting.grading.thoughts import without_thoughts
from pytest_forgetting.reporting.clipping import SENTENCE_CHARACTERS, clipped, shown_name

SHOWN_CASES = 20
"""Forgotten cases listed; reports have them all."""
SHOWN_CHANGES = 5
"""Cases that only rounding changed, listed."""
_COLUMNS = ("suite", "n", "baseline", "model", "drop", "forgotten", "learned", "interval", "verdict")
ALIGN = ("left", *("right",) * 6, "left", "left")
"""Of the table's columns."""
_OUTCOMES = ("retained", "forgotten", "learned", "unknown", "measured", "unanswered")
_IF_ANY = ("measured", "unanswered")


def table(comparison: Comparison, confidence: float = 0.95) -> Iterator[str]:
    """One row per suite, and below it one per category."""
    head, rows = cells(comparison, confidence)
    # tabulate strips the indentation of categories unless told that it is meant.
    yield from tabulate(
        rows, head, tablefmt="plain", colalign=ALIGN, disable_numparse=True, preserve_whitespace=True
    ).splitlines()


def cells(comparison: Comparison, confidence: float = 0.95) -> tuple[list[str], list[list[str]]]:
    """The head and the rows of the table; names of categories are indented."""
    head = [f"{confidence * 100:g} % interval" if name == "interval" else name for name in _COLUMNS]
    return head, [row for suite in comparison.suites for row in suite_rows(suite)]


def suite_rows(result: SuiteResult) -> Iterator[list[str]]:
    """The cells of a suite's row, and of one for each category, whose name is indented."""
    lost = ", ".join(f"{shown_name(scope.name)} {drop(scope)}" for scope in result.silent_losses)
    yield _row(
        shown_name(result.suite.name), result.overall, note=f"; not gated, yet lost more: {lost}" if lost else ""
    )
    for scope in result.categories:
        yield _row(f"  {shown_name(scope.name)}", scope)


def _row(name: str, scope: ScopeResult, note: str = "") -> list[str]:
    if scope.drift is not None:
        return _measured_row(name, scope, scope.drift)
    counts = scope.counts
    shares = [percent(share if counts.n else None) for share in (counts.baseline_accuracy, counts.model_accuracy)]
    numbers = [str(counts.n), *shares, drop(scope), amount(counts.forgotten), amount(counts.learned)]
    return [name, *numbers, interval(scope), verdict(scope) + note]


def _measured_row(name: str, scope: ScopeResult, drift: Drift) -> list[str]:
    """Texts: nats per byte of both models in the place of accuracies."""
    losses = [f"{loss:.3f}" for loss in (drift.baseline, drift.model)]
    told = [verdict(scope) or "nats per byte", *_divergence(drift)]
    return [name, str(drift.texts), *losses, growth(drift.increase), "", "", interval(scope), "; ".join(told)]


def _divergence(drift: Drift) -> Iterator[str]:
    if drift.divergence is not None:
        yield f"KL {drift.divergence:.3f} nats a token"


def choices(comparison: Comparison) -> Iterator[str]:
    """A line for each choice suite: all three measures, and what is forgotten beyond guessing."""
    for suite in comparison.suites:
        seen = choosing(suite.results)
        if seen is not None:
            measures = [f"{name} {percent(had)} → {percent(has)}" for name, (had, has) in seen.accuracies.items()]
            lost = f"{percent(seen.adjusted)} forgotten beyond guessing (chance {percent(seen.chance)})"
            yield f"{shown_name(suite.suite.name)}: {', '.join(measures)}; {lost}"


def verdict(scope: ScopeResult) -> str:
    """The verdict with its reason, in words: ``FAIL  > 10 pts, proven``."""
    if scope.ruling.verdict == "reported":
        return ""
    told = [scope.ruling.because]
    if scope.evidence is not None and scope.ruling.weighed:
        told.append(scope.evidence.words)
    return f"{scope.ruling.verdict.upper()}  {', '.join(told)}"


def ruling(scope: ScopeResult) -> str:
    """The verdict with the counts behind it: ``FAIL  > 10 pts: 2 forgotten and 0 learned of 5, drop 40.0 pts``."""
    counts = scope.counts
    if scope.drift is not None:
        return f"{verdict(scope)} over {scope.drift.texts} texts"
    told = f"{amount(counts.forgotten)} forgotten and {amount(counts.learned)} learned of {counts.n}"
    return f"{verdict(scope)}: {told}, drop {drop(scope)}"


def scope_name(suite: SuiteResult, scope: ScopeResult) -> str:
    """The suite, or the suite and the category."""
    return scope.name if scope is suite.overall else f"{suite.suite.name}, {scope.name}"


def interval(scope: ScopeResult) -> str:
    """The interval of its drop in points, or of its increase in per cent; empty where nothing is known of it."""
    if scope.drift is not None:
        low, high = scope.drift.interval
        return f"{_signed(low)} … {_signed(high)} %" if isfinite(low) else ""
    return "" if scope.evidence is None else f"{_signed(scope.evidence.low)} … {_signed(scope.evidence.high)}"


def drop(scope: ScopeResult) -> str:
    """Its drop in points, or a dash where nothing was answered."""
    return f"{_signed(float(scope.counts.drop))} pts" if scope.counts.n else "–"


def _signed(share: float) -> str:
    text = f"{share * 100:.1f}"
    return "0.0" if float(text) == 0 else text.replace("-", "−")


def counts(comparison: Comparison) -> str:
    """All outcomes in one line: ``131 retained, 14 forgotten, 4 learned, 9 unknown``."""
    return ", ".join(f"{number} {outcome}" for outcome, number in tally(comparison))


def tally(comparison: Comparison) -> Iterator[tuple[str, int]]:
    """How many cases of each outcome, those that are only sometimes there left out where there are none."""
    found = Counter(str(result.outcome) for result in comparison.results)
    for outcome in _OUTCOMES:
        if found[outcome] or outcome not in _IF_ANY:
            yield outcome, found[outcome]


def forgotten(comparison: Comparison, limit: int = SHOWN_CASES) -> Iterator[str]:
    """What was forgotten, case by case, those that fail by themselves first."""
    listed = lost_cases(comparison)
    for result in listed[:limit]:
        yield from _case(result)
    if len(listed) > limit:
        yield f"… and {len(listed) - limit} more; --forgetting-report FILE.json lists them all"


def lost_cases(comparison: Comparison) -> list[CaseResult]:
    """What was forgotten or fails by itself, the latter first."""
    listed = [(suite, result) for suite in comparison.suites for result in suite.results if _lost(suite, result)]
    listed.sort(key=lambda pair: not pair[1].fails(pair[0].suite.fail_on))
    return [result for _, result in listed]


def _lost(suite: SuiteResult, result: CaseResult) -> bool:
    return result.outcome == "forgotten" or result.fails(suite.suite.fail_on)


def _case(result: CaseResult) -> Iterator[str]:
    case = result.case
    severity = f" [{case.severity}]" if case.severity else ""
    yield f"{clipped(case.file, SENTENCE_CHARACTERS)}:{case.line}  {clipped(case.title or result.prompt)}{severity}"
    wanted = " or ".join(case.expected)
    told = f"wanted {clipped(wanted)}" if wanted else clipped(result.model.why, SENTENCE_CHARACTERS)
    cause = cause_words(result)
    yield f"    {told} · had {_quoted(result.baseline)} · now {_quoted(result.model)}" + (
        f"   cause: {cause}" if cause else ""
    )


def cause_words(result: CaseResult) -> str:
    """The cause with what speaks for it: ``knowledge (right answer −2.1 → −7.9 nats)``."""
    cause = cause_of(result)
    if cause not in ("format", "knowledge"):
        return cause or ""
    told = []
    if cause == "format":
        told.append("right but for its form" if result.case.checks else "knows it, says it otherwise")
    if (right := evidence_of(result)) is not None:
        told.append(f"right answer {nats(right.baseline)} → {nats(right.model)} nats")
    return f"{cause} ({': '.join(told)})" if told else cause


def causes(comparison: Comparison) -> Iterator[str]:
    """How many cases each cause explains, and which cases only rounding changed; nothing where nothing was lost."""
    found = [(cause, result) for result in comparison.results if (cause := cause_of(result)) is not None]
    tally = Counter(cause for cause, _ in found if cause != "numeric noise")
    if tally:
        notes = {"format": " (spurious: still known, said otherwise)"}
        named = [f"{number} {cause}{notes.get(cause, '')}" for cause, number in tally.most_common()]
        yield f"causes: {', '.join(named)}"
    noise = [result for cause, result in found if cause == "numeric noise"]
    if noise:
        changed = [
            f"{shown_name(result.case.id)} {result.first} → {result.outcome}" for result in noise[:SHOWN_CHANGES]
        ]
        more = f" and {len(noise) - SHOWN_CHANGES} more" if len(noise) > SHOWN_CHANGES else ""
        yield f"numeric noise, other when asked again: {', '.join(changed)}{more}"


def advice(comparison: Comparison) -> Iterator[str]:
    """What to try next, a line each."""
    for recommendation in comparison.recommendations:
        because, advised = (
            clipped(text, SENTENCE_CHARACTERS) for text in (recommendation.because, recommendation.advice)
        )
        yield f"next: {because} → {advised}"


def further(comparison: Comparison) -> Iterator[str]:
    """How to read what the first piece of advice names."""
    for recommendation in comparison.recommendations[:1]:
        if place := re.search(r"\((docs/[^()\s]+)\)$", recommendation.advice):
            yield f"read on: pytest --forgetting-explain {place[1]}"


def _quoted(graded: Graded) -> str:
    return f'"{clipped(without_thoughts(graded.answer).strip())}"'


def findings(comparison: Comparison) -> Iterator[str]:
    """What the audit found."""
    for finding in comparison.audit:
        yield f"{finding.severity}: {clipped(finding.detail, SENTENCE_CHARACTERS)}"


def headline(comparison: Comparison) -> str:
    """Who was compared, over how much: the first line."""
    model, baseline = shown_name(comparison.model.ref), shown_name(comparison.baseline.ref)
    return f"{model} against {baseline} · {extent(comparison)}"


def extent(comparison: Comparison) -> str:
    """Over how much two models were compared: ``1 suite · 5 cases``."""
    cases = sum(len(suite.results) for suite in comparison.suites)
    suites = len(comparison.suites)
    return f"{suites} suite{'s' * (suites != 1)} · {cases} case{'s' * (cases != 1)}"
