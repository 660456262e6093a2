"""Who is compared, and what a reader should know of the two before trusting the comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NOT_STATED = "revision not stated"
"""In the place of a fingerprint: which weights a server answers with is known to nobody."""


@dataclass(frozen=True)
class Participant:
    """One of the two sides, as reports name it."""

    ref: str
    fingerprint: str
    dtype: str | None = None
    device: str | None = None
    parameters: int | None = None

    @property
    def is_identified(self) -> bool:
        """Whether an equal fingerprint means the same model."""
        return self.fingerprint != NOT_STATED


@dataclass(frozen=True)
class Finding:
    """Something that a reader of the comparison should know before trusting it."""

    finding: str
    severity: Literal["info", "warning", "fatal"]
    detail: str
