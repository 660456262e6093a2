"""A pytest plugin that tells whether fine-tuning made a language model forget, and fails the build when it did."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_forgetting.api.comparing import compare
    from pytest_forgetting.api.forgetting import Forgetting
    from pytest_forgetting.api.language_model import LanguageModel
    from pytest_forgetting.api.retained import Forgotten, assert_retained
    from pytest_forgetting.comparison.comparison import Comparison
    from pytest_forgetting.comparison.outcomes import CaseResult
    from pytest_forgetting.comparison.scopes import ScopeResult, SuiteResult
    from pytest_forgetting.errors import CannotAnswer, ForgettingError, NotFound, SuiteError, WrongUsage
    from pytest_forgetting.grading.registry import check
    from pytest_forgetting.suites.cases import Suite
    from pytest_forgetting.suites.loading import load_suite
    from pytest_forgetting.training.callback import ForgettingCallback

__all__ = [
    "CannotAnswer",
    "CaseResult",
    "Comparison",
    "Forgetting",
    "ForgettingCallback",
    "ForgettingError",
    "Forgotten",
    "LanguageModel",
    "NotFound",
    "ScopeResult",
    "Suite",
    "SuiteError",
    "SuiteResult",
    "WrongUsage",
    "assert_retained",
    "check",
    "compare",
    "load_suite",
]
_HOMES = {
    "CannotAnswer": "errors",
    "CaseResult": "comparison.outcomes",
    "Comparison": "comparison.comparison",
    "Forgetting": "api.forgetting",
    "ForgettingCallback": "training.callback",
    "ForgettingError": "errors",
    "Forgotten": "api.retained",
    "LanguageModel": "api.language_model",
    "NotFound": "errors",
    "ScopeResult": "comparison.scopes",
    "Suite": "suites.cases",
    "SuiteError": "errors",
    "SuiteResult": "comparison.scopes",
    "WrongUsage": "errors",
    "assert_retained": "api.retained",
    "check": "grading.registry",
    "compare": "api.comparing",
    "load_suite": "suites.loading",
}


def __getattr__(name: str) -> Any:
    """Import public names when they are first used: merely being installed must cost nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Public names, whether they were used yet or not."""
    return sorted({*globals(), *__all__})
