"""A pytest plugin that tells whether fine-tuning made a language model forget, and fails the build when it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_forgetting.grading.registry import check

__all__ = ["check"]


def __getattr__(name: str) -> Any:
    """Import public names when they are first used: merely being installed must cost nothing."""
    if name == "check":
        from pytest_forgetting.grading.registry import check

        return check
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
