"""What somebody may have meant by a word that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def hint(found: str, near: Iterable[str], known: Iterable[str] | None = None, label: str = "known") -> str:
    """``did you mean 'question'?``, or, where nothing is near, the list of what is known.

    Args:
        found: the unknown word.
        near: what it is compared with.
        known: what is listed; by default the same.
        label: what the list is called.
    """
    words = list(near)
    return meant(found, words) or f"{label}: {', '.join(words if known is None else known)}"


def meant(found: str, near: Iterable[str]) -> str | None:
    """``did you mean 'question'?``, or None where nothing is near; capitals do not count."""
    words = {word.lower(): word for word in near}
    best = get_close_matches(found.lower(), words, 1)
    return f"did you mean '{words[best[0]]}'?" if best else None
