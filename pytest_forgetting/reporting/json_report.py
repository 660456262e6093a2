"""The comparison as JSON: keys sorted, no clock times outside `timing`, so that equal runs differ nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version
from math import isfinite
from typing import Any

from pytest_forgetting.comparison.causes import cause_of
from pytest_forgetting.comparison.chance import Choosing, choosing
from pytest_forgetting.comparison.comparison import Comparison
from pytest_forgetting.comparison.drift import Drift
from pytest_forgetting.comparison.outcomes import CaseResult, Graded, RightAnswer
from pytest_forgetting.comparison.scopes import ScopeResult, SuiteResult
from pytest_forgetting.grading.choices import SCORES, pick
from pytest_forgetting.suites.cases import Case, DatasetRead

SCHEMA_VERSION = 1
_SHARES = ("baseline_accuracy", "model_accuracy", "accuracy_drop", "retention")
_COUNTED = ("retained", "forgotten", "learned", "unknown", "unanswered")


def report(comparison: Comparison) -> dict[str, Any]:
    """All of the report but its cases, as plain JSON values."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "pytest-forgetting", "version": version("pytest-forgetting")},
        "decision": comparison.decision,
        "settings": comparison.settings,
        "audit": [vars(finding) for finding in comparison.audit],
        "baseline": vars(comparison.baseline),
        "model": vars(comparison.model),
        "suites": [_suite(suite) for suite in comparison.suites],
        "recommendations": [vars(recommendation) for recommendation in comparison.recommendations],
        "timing": vars(comparison.timing),
    }


def cases(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """Every case as plain JSON values, in the order of the suites."""
    for suite in comparison.suites:
        for result in suite.results:
            yield _case(suite, result)


def to_json(comparison: Comparison) -> str:
    """The report's text, a case a line: so it is encoded in a fraction of the time and memory, and read in a diff."""
    # ASCII on purpose: a model's output may hold lone surrogates, which UTF-8 cannot bear.
    text = json.dumps({**report(comparison), "cases": []}, sort_keys=True, indent=1, ensure_ascii=True) + "\n"
    lines = ",\n".join("  " + json.dumps(case, sort_keys=True, ensure_ascii=True) for case in cases(comparison))
    # No string holds a line break, so that this stands nowhere else.
    return text.replace('\n "cases": []', f'\n "cases": [\n{lines}\n ]', 1) if lines else text


def to_jsonl(comparison: Comparison) -> str:
    """The cases alone, one a line."""
    return "".join(json.dumps(case, sort_keys=True, ensure_ascii=True) + "\n" for case in cases(comparison))


def _suite(result: SuiteResult) -> dict[str, Any]:
    suite = result.suite
    head = {"path": suite.nodeid, "kind": suite.kind, "role": suite.role}
    own = {**head, **scope_values(result.overall), "categories": [scope_values(scope) for scope in result.categories]}
    if (seen := choosing(result.results)) is not None:
        own["choosing"] = _choosing(seen)
    if suite.datasets:
        own["datasets"] = [_dataset(each) for each in suite.datasets]
    return own


def _dataset(read: DatasetRead) -> dict[str, Any]:
    return {name: getattr(read, name) for name in ("name", "config", "split", "revision")}


def _choosing(seen: Choosing) -> dict[str, Any]:
    sides = {name: {"baseline": float(had), "model": float(has)} for name, (had, has) in seen.accuracies.items()}
    return {"chance": float(seen.chance), "adjusted_forgetting": float(seen.adjusted), "accuracies": sides}


def _drift(drift: Drift) -> dict[str, Any]:
    low, high = drift.interval
    return {
        "bytes": drift.size,
        "baseline_nats_per_byte": _finite(drift.baseline),
        "model_nats_per_byte": _finite(drift.model),
        "increase": _finite(drift.increase),
        "increase_low": _finite(low),
        "increase_high": _finite(high),
        "kl_nats_per_token": _finite(drift.divergence),
    }


def _finite(value: float | None) -> float | None:
    """JSON has no number for what a model holds impossible, or for a share of nothing."""
    return value if value is not None and isfinite(value) else None


def scope_values(scope: ScopeResult) -> dict[str, Any]:
    """A suite or a category as plain JSON values."""
    counts, evidence, threshold = scope.counts, scope.evidence, scope.threshold
    measured = {} if scope.drift is None else {"drift": _drift(scope.drift)}
    return measured | {
        "name": scope.name,
        "n": counts.n if scope.drift is None else scope.drift.texts,
        **{name: getattr(scope, name) for name in _COUNTED},
        **{name: _finite(getattr(scope, name)) for name in _SHARES},
        "ci_low": evidence and evidence.low,
        "ci_high": evidence and evidence.high,
        "p_value": evidence and evidence.p_value,
        "cases_needed": evidence and evidence.cases_needed,
        "max_drop": float(threshold.max_drop),
        "max_increase": None if threshold.max_increase is None else float(threshold.max_increase),
        "min_gain": None if threshold.min_gain is None else float(threshold.min_gain),
        "rule": threshold.rule,
        "verdict": scope.ruling.verdict,
        "evidence": "; ".join(filter(None, [scope.ruling.because, _words(scope)])),
    }


def _words(scope: ScopeResult) -> str:
    return scope.evidence.words if scope.evidence is not None and scope.ruling.weighed else ""


def _case(suite: SuiteResult, result: CaseResult) -> dict[str, Any]:
    case = result.case
    told: dict[str, Any] = {
        "id": case.id,
        "nodeid": f"{suite.suite.nodeid}::{case.category}::{case.id}",
        "suite": suite.suite.name,
        "category": case.category,
        "severity": case.severity,
        "prompt": result.prompt,
        "choices": list(case.choices) or None,
        "expected": list(case.expected) or [_check_name(check) for check in case.checks],
        "outcome": result.outcome,
        "cause": cause_of(result),
        "baseline": _graded(case, result.baseline),
        "model": _graded(case, result.model),
    }
    if result.divergence is not None:
        told |= {"kl_nats": _finite(result.divergence), "tokens": result.tokens}
    if result.first is not None:
        told["first_outcome"] = result.first
    if result.right is not None:
        told["right_answer"] = _right_answer(result.right)
    return told


def _right_answer(right: RightAnswer) -> dict[str, Any]:
    sides = {"baseline": right.baseline, "model": right.model}
    return {"text": right.text} | {side: _finite(value) for side, value in sides.items()}


def _check_name(check: Any) -> str:
    name = f"not-{check.type}" if check.negated else str(check.type)
    return name if check.value is None else f"{name}: {_written(check.value)}"


def _written(value: Any) -> str:
    """The value of a check, which for one of the user's own may be what JSON has no word for: a date, a set."""

    def plain(odd: Any) -> Any:
        return sorted(map(str, odd)) if isinstance(odd, set | frozenset) else str(odd)

    try:
        return json.dumps(value, ensure_ascii=True, default=plain)
    except TypeError:  # a key that is no text
        return ascii(value)


def _graded(case: Case, graded: Graded) -> dict[str, Any]:
    told: dict[str, Any] = {"answer": graded.answer, "correct": graded.correct, "finish": graded.finish}
    told["why"] = graded.why
    if graded.right_share is not None:
        told["right_share"] = float(graded.right_share)
    if graded.loglikelihoods:
        told["loglikelihoods"] = [_finite(each) for each in graded.loglikelihoods]
    if graded.loglikelihoods and case.choices:
        told["picks"] = {score: pick(score, case.choices, graded.loglikelihoods) for score in SCORES}
    return told
