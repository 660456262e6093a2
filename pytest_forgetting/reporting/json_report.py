"""The comparison as JSON: keys sorted, no clock times outside `timing`, so that equal runs differ nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from pytest_forgetting.comparison.comparison import Comparison, ScopeResult, SuiteResult
from pytest_forgetting.comparison.outcomes import CaseResult, Judged

SCHEMA_VERSION = 1


def report(comparison: Comparison) -> dict[str, Any]:
    """The whole comparison as plain JSON values."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "pytest-forgetting", "version": version("pytest-forgetting")},
        "decision": comparison.decision,
        "settings": comparison.settings,
        "audit": [vars(finding) for finding in comparison.audit],
        "baseline": vars(comparison.baseline),
        "model": vars(comparison.model),
        "suites": [_suite(suite) for suite in comparison.suites],
        "cases": list(cases(comparison)),
        "recommendations": [],
        "timing": vars(comparison.timing),
    }


def cases(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """Every case as plain JSON values, in the order of the suites."""
    for suite in comparison.suites:
        for result in suite.results:
            yield _case(suite, result)


def to_json(comparison: Comparison) -> str:
    """The report's text."""
    # ASCII on purpose: a model's output may hold lone surrogates, which UTF-8 cannot bear.
    return json.dumps(report(comparison), sort_keys=True, indent=1, ensure_ascii=True) + "\n"


def to_jsonl(comparison: Comparison) -> str:
    """The cases alone, one a line."""
    return "".join(json.dumps(case, sort_keys=True, ensure_ascii=True) + "\n" for case in cases(comparison))


def _suite(result: SuiteResult) -> dict[str, Any]:
    suite = result.suite
    head = {"path": suite.nodeid, "kind": suite.kind, "role": suite.role}
    categories = [_scope(scope, suite.gate.rule) for scope in result.categories]
    return {**head, **_scope(result.overall, suite.gate.rule), "categories": categories}


def _scope(scope: ScopeResult, rule: str) -> dict[str, Any]:
    counts, evidence, threshold = scope.counts, scope.evidence, scope.threshold
    answered = bool(counts.n)
    return {
        "name": scope.name,
        "n": counts.n,
        **{name: getattr(counts, name) for name in ("retained", "forgotten", "learned", "unknown", "unanswered")},
        "baseline_accuracy": float(counts.baseline_accuracy) if answered else None,
        "model_accuracy": float(counts.model_accuracy) if answered else None,
        "accuracy_drop": float(counts.drop) if answered else None,
        "retention": None if counts.retention is None else float(counts.retention),
        "ci_low": evidence and evidence.low,
        "ci_high": evidence and evidence.high,
        "p_value": evidence and evidence.p_value,
        "cases_needed": evidence and evidence.cases_needed,
        "max_drop": float(threshold.max_drop),
        "min_gain": None if threshold.min_gain is None else float(threshold.min_gain),
        "rule": rule,
        "verdict": scope.ruling.verdict,
        "evidence": "; ".join(filter(None, [scope.ruling.because, _words(scope)])),
    }


def _words(scope: ScopeResult) -> str:
    return scope.evidence.words if scope.evidence is not None and scope.ruling.weighed else ""


def _case(suite: SuiteResult, result: CaseResult) -> dict[str, Any]:
    case = result.case
    return {
        "id": case.id,
        "nodeid": f"{suite.suite.nodeid}::{case.category}::{case.id}",
        "suite": suite.suite.name,
        "category": case.category,
        "severity": case.severity,
        "prompt": result.prompt,
        "expected": list(case.expected) or [_check_name(check) for check in case.checks],
        "outcome": result.outcome,
        "cause": None,
        "baseline": _judged(result.baseline),
        "model": _judged(result.model),
    }


def _check_name(check: Any) -> str:
    name = f"not-{check.type}" if check.negated else str(check.type)
    return name if check.value is None else f"{name}: {json.dumps(check.value, ensure_ascii=True, default=list)}"


def _judged(judged: Judged) -> dict[str, Any]:
    return {"answer": judged.answer, "correct": judged.correct, "finish": judged.finish, "why": judged.why}
