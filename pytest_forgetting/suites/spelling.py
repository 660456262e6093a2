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
    meant = get_close_matches(found, words, 1)
    return f"did you mean '{meant[0]}'?" if meant else f"{label}: {', '.join(words if known is None else known)}"
