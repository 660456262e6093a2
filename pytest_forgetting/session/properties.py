"""Properties of cases, gates and the run, as JUnit files and dashboards show them. Plain text: some of it travels."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from pytest_forgetting.comparison.comparison import Comparison
    from pytest_forgetting.comparison.outcomes import CaseResult
    from pytest_forgetting.comparison.scopes import ScopeResult


def case_properties(result: CaseResult, *, gated: bool) -> dict[str, str]:
    """Outcome, category, and severity and cause where there is one.

    Args:
        result: of the case.
        gated: whether two models are compared; otherwise one is only recorded.
    """
    from pytest_forgetting.comparison.causes import cause_of

    case = result.case
    told: dict[str, str] = {"outcome": result.outcome if gated or result.outcome == "unanswered" else "recorded"}
    told["category"] = case.category
    if case.severity is not None:
        told["severity"] = case.severity
    if gated and (cause := cause_of(result)) is not None:
        told["cause"] = cause
    return told


def gate_properties(scope: ScopeResult) -> dict[str, str]:
    """Verdict, counts, drop, interval and evidence, by their names in the JSON report; what is null there is left out.

    Of texts the increase of their cross-entropy, in the place of counts.
    """
    from pytest_forgetting.reporting.json_report import scope_values

    values = scope_values(scope)
    values |= values.pop("drift", {})
    del values["name"]  # it is the item's own
    return {name: str(value) for name, value in values.items() if value is not None}


def run_properties(comparison: Comparison) -> dict[str, str]:
    """The decision, and who was compared."""
    told: dict[str, str] = {"decision": comparison.decision}
    for side, participant in (("model", comparison.model), ("baseline", comparison.baseline)):
        told |= {side: participant.ref, f"{side}_fingerprint": participant.fingerprint}
    return told


def tell_junit(config: pytest.Config, comparison: Comparison) -> None:
    """Give the JUnit file its run-wide properties, where one is written."""
    from _pytest.junitxml import xml_key  # the public way, `record_testsuite_property`, is a fixture for tests

    xml = config.stash.get(xml_key, None)
    if xml is not None:
        for name, value in run_properties(comparison).items():
            xml.add_global_property(*named(name, value))


@lru_cache(maxsize=1024)
def named(name: str, value: str) -> tuple[str, str]:
    """A property under the name that everybody sees; one for all cases that are told the same."""
    return f"forgetting_{name}", value
