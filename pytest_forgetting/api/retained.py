"""The gate as an assertion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from pytest_forgetting.comparison.comparison import Comparison, decide
from pytest_forgetting.comparison.formatting import amount
from pytest_forgetting.comparison.judge import Judge
from pytest_forgetting.comparison.outcomes import CaseResult
from pytest_forgetting.comparison.scopes import ScopeResult, SuiteResult
from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.reporting import terminal
from pytest_forgetting.reporting.display import told
from pytest_forgetting.settings import fraction

if TYPE_CHECKING:
    from pytest_forgetting.suites.cases import Suite

NAMED_CASES = 5
"""Forgotten cases named in the first line."""


class Forgotten(AssertionError):
    """A gate that fails: what the baseline knew was lost, or the comparison could not have shown a loss.

    The first line is the decision with its figures; the table and the forgotten cases follow.
    """

    def __init__(self, message: str, comparison: Comparison) -> None:
        """Say `message` of `comparison`."""
        super().__init__(message)
        self.comparison = comparison
        """Everything that was found out."""


Forgotten.__module__ = "pytest_forgetting"  # where users import it from, and what pytest shows


def assert_retained(result: Comparison, max_drop: float | str | None = None) -> None:
    """Fail where the gate would: a drop beyond a threshold, or a run that could not have shown any.

    Args:
        result: of `compare`, or of the fixture `forgetting`.
        max_drop: what each general suite may lose as a whole, in the place of its own threshold: 0.05, "5%" or "1/20".

    Raises:
        Forgotten: an `AssertionError` with the decision, the table and the forgotten cases; it carries `comparison`.
        WrongUsage: `max_drop` is no share, or `result` is no comparison.
    """
    __tracebackhide__ = True
    if not isinstance(result, Comparison):
        raise WrongUsage(f"assert_retained: found {result!r:.60} ({type(result).__name__}); wanted a Comparison")
    if max_drop is not None:
        result = _judged_anew(result, share("max_drop", max_drop))
    if reasons := list(failures(result)):
        raise Forgotten("\n".join(["; ".join(reasons), "", *told(result)]), result)


def share(name: str, value: float | str) -> Fraction:
    """`value` as it is written: 0.1 is one tenth.

    Raises:
        WrongUsage: it is no share; the message calls it `name`.
    """
    try:
        return fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise WrongUsage(f"{name} {value!r}; wanted a share from 0 to 1, such as 0.1, '10%' or '1/10'") from None


def failures(result: Comparison) -> Iterator[str]:
    """Why the gate fails: a clause for each scope that blocks, and one for the cases that fail by themselves."""
    for suite in result.suites:
        for scope in suite.gates:
            if result.blocks(scope):
                yield _lost(suite, scope)
        if suite.failing_cases:
            yield f"{suite.suite.name}: {_named(suite.failing_cases, 'failed by themselves')}"


def _lost(suite: SuiteResult, scope: ScopeResult) -> str:
    """``Capitals: accuracy dropped 40.0 points (allowed 20); 2 forgotten: Spain, Peru``."""
    name = suite.suite.name if scope is suite.overall else f"{suite.suite.name}, {scope.name}"
    counts, allowed = scope.counts, scope.threshold.allowed
    beyond = counts.drop > allowed and scope.threshold.min_gain is None
    if scope.ruling.verdict != "fail" or scope.drift is not None or not beyond:
        return f"{name}: {terminal.verdict(scope)}"
    its = [result for result in suite.results if scope is suite.overall or result.case.category == scope.name]
    lost = [result for result in its if result.outcome == "forgotten"]
    forgotten = _named(lost, "forgotten", amount(counts.forgotten))
    learned = f", {amount(counts.learned)} learned" if counts.learned else ""
    drop = f"accuracy dropped {float(counts.drop) * 100:.1f} points (allowed {float(allowed) * 100:g})"
    return f"{name}: {drop}{learned}; {forgotten}"


def _named(results: list[CaseResult] | tuple[CaseResult, ...], what: str, number: str | None = None) -> str:
    names = [result.case.id for result in results[:NAMED_CASES]]
    more = f" and {len(results) - NAMED_CASES} more" if len(results) > NAMED_CASES else ""
    return f"{number or len(results)} {what}" + (f": {', '.join(names)}{more}" if names else "")


def _judged_anew(result: Comparison, max_drop: Fraction) -> Comparison:
    inert = any(finding.severity == "fatal" and finding.finding == "adapter" for finding in result.audit)
    judge = Judge(result.confidence, inert)
    suites = tuple(judge.suite(_allowing(suite.suite, max_drop), suite.results) for suite in result.suites)
    failing = sum(len(suite.failing_cases) for suite in suites)
    decision = decide([scope.ruling for suite in suites for scope in suite.gates], failing)
    return replace(result, suites=suites, decision=decision)


def _allowing(suite: Suite, max_drop: Fraction) -> Suite:
    return replace(suite, gate=replace(suite.gate, max_drop=max_drop))
