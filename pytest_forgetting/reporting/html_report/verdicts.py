"""What a page says first: the decision, and gate by gate what it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_forgetting.comparison.comparison import Comparison
from pytest_forgetting.comparison.formatting import amount, growth
from pytest_forgetting.comparison.gates import Verdict
from pytest_forgetting.comparison.outcomes import count
from pytest_forgetting.comparison.scopes import ScopeResult, SuiteResult
from pytest_forgetting.reporting.html_report.escaping import fragment
from pytest_forgetting.reporting.terminal import drop, interval, verdict

MOST_REASONS = 8
"""Lines on gates and failing cases; the table has them all."""
_ORDER: tuple[Verdict, ...] = ("fail", "inconclusive", "pass")


@dataclass(frozen=True)
class Reason:
    """One gate, or a case that failed by itself."""

    verdict: Verdict
    name: str
    figure: str
    """By how much it dropped or grew; empty for a case."""
    told: str
    """What the gate said, and how sure it is."""
    link: str
    """Shows its cases."""


@dataclass(frozen=True)
class Verdicts:
    """The head of the page."""

    decision: str
    effect: str
    """What it does to the build, in a sentence."""
    sentence: str
    """What became of what the baseline knew."""
    gates: str
    """How many gates and cases failed, in words."""
    reasons: tuple[Reason, ...]
    more: int
    """Reasons that are left to the table."""
    unproven: int
    """Gates that passed although their counts do not prove it."""


def verdicts(comparison: Comparison) -> Verdicts:
    """What `comparison` decided and why, the gravest first."""
    gates = [(suite, scope) for suite in comparison.suites for scope in suite.gates]
    reasons = [*_cases(comparison), *(_gate(suite, scope) for suite, scope in gates)]
    reasons.sort(key=lambda reason: _ORDER.index(reason.verdict))
    return Verdicts(
        comparison.decision,
        _effect(comparison),
        _sentence(comparison),
        _tally(comparison),
        tuple(reasons[:MOST_REASONS]),
        max(0, len(reasons) - MOST_REASONS),
        sum(_unproven(scope) for _, scope in gates),
    )


def _unproven(scope: ScopeResult) -> bool:
    return scope.ruling.verdict == "pass" and scope.evidence is not None and not scope.evidence.proven


def _effect(comparison: Comparison) -> str:
    asked, red = comparison.inconclusive, comparison.fails_build
    if comparison.decision != "inconclusive":
        return "The build fails." if red else "The build passes."
    if not any(suite.gates for suite in comparison.suites):
        return "There was no gate: the build does not fail."
    if red and asked == "warn":
        unmeasured = any(not scope.ruling.measured for suite in comparison.suites for scope in suite.gates)
        return f"The build fails: {'a gate could not have shown any loss' if unmeasured else 'no gate could decide'}."
    return f"The build {'fails' if red else 'does not fail'} for it (--forgetting-inconclusive {asked})."


def _sentence(comparison: Comparison) -> str:
    counts = count(comparison.results)
    model, baseline, known = comparison.model.ref, comparison.baseline.ref, counts.retained + counts.forgotten
    if not counts.n:
        texts = f"{counts.measured} text{'s' * (counts.measured != 1)} measured, " if counts.measured else ""
        return f"{texts}no answers compared."
    learned = f"learned {amount(counts.learned)} that it did not"
    if not known:
        return f"{baseline} got none of {counts.n} cases right; {model} {learned}."
    return (
        f"{model} forgot {amount(counts.forgotten)} of {amount(known)} cases that {baseline} got right, and {learned}."
    )


def _tally(comparison: Comparison) -> str:
    found = [scope.ruling.verdict for suite in comparison.suites for scope in suite.gates]
    words = {"fail": "failed", "inconclusive": "could not decide", "pass": "passed"}
    told = [f"{found.count(name)} {words[name]}" for name in _ORDER if name in found]
    failing = sum(len(suite.failing_cases) for suite in comparison.suites)
    gates = f"{len(found)} gate{'s' * (len(found) != 1)}: {', '.join(told)}" if found else "No gates"
    if not failing:
        return gates
    return f"{gates}; {failing} case{'s failed by themselves' if failing != 1 else ' failed by itself'}"


def _cases(comparison: Comparison) -> Iterator[Reason]:
    for suite in comparison.suites:
        if failing := suite.failing_cases:
            titles = ", ".join(result.case.title or result.case.id for result in failing[:3])
            more = f" and {len(failing) - 3} more" if len(failing) > 3 else ""
            link = fragment(suite=suite.suite.name, fails="yes")
            cases = f"{len(failing)} case{'s' * (len(failing) != 1)}"
            yield Reason("fail", suite.suite.name, cases, f"must not fail: {titles}{more}", link)


def _gate(suite: SuiteResult, scope: ScopeResult) -> Reason:
    category = "" if scope is suite.overall else scope.name
    name = f"{suite.suite.name} › {category}" if category else suite.suite.name
    told = verdict(scope).partition("  ")[2]
    bounds = interval(scope) if scope.ruling.weighed else ""
    return Reason(
        scope.ruling.verdict,
        name,
        _change(scope),
        f"{told}; interval {bounds}" if bounds else told,
        fragment(suite=suite.suite.name, category=category),
    )


def _change(scope: ScopeResult) -> str:
    if scope.drift is not None:
        return growth(scope.drift.increase)
    change = scope.counts.drop
    if not scope.counts.n:
        return ""
    return f"{drop(scope).removeprefix('−')} {'lost' if change > 0 else 'gained'}" if change else "no change"
