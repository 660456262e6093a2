"""What Python's `json` takes and the standard does not: NaN and Infinity, and keys that stand twice in one object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn


def no_constant(constant: str) -> NoReturn:
    """Refuse NaN, Infinity and -Infinity; for ``parse_constant`` of `json`.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{constant} is not JSON")


def given_twice(names: Iterable[str]) -> str | None:
    """The first name that comes a second time, None where each comes once."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
