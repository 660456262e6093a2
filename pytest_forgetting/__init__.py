"""A pytest plugin that tells whether fine-tuning made a language model forget, and fails the build when it did."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_forgetting.api import assert_retained, compare
    from pytest_forgetting.grading.registry import check

__all__ = ["assert_retained", "check", "compare"]
_HOMES = {"assert_retained": "api", "check": "grading.registry", "compare": "api"}


def __getattr__(name: str) -> Any:
    """Import public names when they are first used: merely being installed must cost nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
