"""The least time that hardware of a known bandwidth and matrix rate needs to answer.

The roofline model: Williams, Waterman and Patterson (2009), Communications of the ACM 52(4):65.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """What a decoder-only model makes hardware do."""

    body: int
    """Parameters that each token is multiplied by, read or written."""
    head: int
    """Parameters of the output layer, which only the last token of a prompt meets."""
    state: int
    """Bytes of keys and values that a token leaves behind."""
    width: int
    """Bytes of a parameter."""


@dataclass(frozen=True)
class Ceilings:
    """What the hardware can do at most."""

    bytes_per_second: float
    operations_per_second: float

    def seconds(self, shape: Shape, batches: Sequence[Sequence[int]], new_tokens: int) -> float:
        """The least time in which `batches` (of prompt lengths) can be answered with `new_tokens` each.

        A step reads all weights and the keys and values so far, or multiplies each row by each weight, whichever takes
        longer.
        """
        weights = (shape.body + shape.head) * shape.width
        total = 0.0
        for lengths in batches:
            read, rows = sum(lengths), len(lengths)
            total += self._longer(weights, 2 * (shape.body * read + shape.head * rows))
            for step in range(1, new_tokens):
                moved = weights + shape.state * (read + step * rows)
                total += self._longer(moved, 2 * (shape.body + shape.head) * rows)
        return total

    def _longer(self, moved: float, operations: float) -> float:
        return max(moved / self.bytes_per_second, operations / self.operations_per_second)
