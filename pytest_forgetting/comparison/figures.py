"""The figures of a scope as plain attributes, for tests and notebooks; the same names and values as in reports."""

from __future__ import annotations

from fractions import Fraction
from math import nan
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pytest_forgetting.comparison.outcomes import Amount, Counts


class _Counted(Protocol):
    @property
    def counts(self) -> Counts: ...


class Figures:
    """What is counted over a scope. Shares are floats from 0 to 1, NaN where nothing was answered: no test of it holds.

    Cases that were asked several times count in parts, so that outcomes may have decimals.
    """

    @property
    def n(self: _Counted) -> int:
        """Cases that both sides answered."""
        return self.counts.n

    @property
    def baseline_accuracy(self: _Counted) -> float:
        """Share of `n` that the baseline answered rightly."""
        return _share(self.counts, self.counts.baseline_accuracy)

    @property
    def model_accuracy(self: _Counted) -> float:
        """Share of `n` that the model answered rightly."""
        return _share(self.counts, self.counts.model_accuracy)

    @property
    def accuracy_drop(self: _Counted) -> float:
        """Baseline's accuracy less the model's: positive is bad."""
        return _share(self.counts, self.counts.drop)

    @property
    def retention(self: _Counted) -> float:
        """Share of what the baseline knew that was kept; NaN where it knew nothing."""
        return nan if self.counts.retention is None else float(self.counts.retention)

    @property
    def retained(self: _Counted) -> float:
        """Cases that were right and still are."""
        return _amount(self.counts.retained)

    @property
    def forgotten(self: _Counted) -> float:
        """Cases that were right and are wrong now."""
        return _amount(self.counts.forgotten)

    @property
    def learned(self: _Counted) -> float:
        """Cases that were wrong and are right now."""
        return _amount(self.counts.learned)

    @property
    def unknown(self: _Counted) -> float:
        """Cases that were wrong and still are."""
        return _amount(self.counts.unknown)

    @property
    def unanswered(self: _Counted) -> int:
        """Cases outside `n`, as one side gave no answer."""
        return self.counts.unanswered


def _share(counts: Counts, share: Fraction) -> float:
    return float(share) if counts.n else nan


def _amount(amount: Amount) -> float:
    return int(amount) if amount == int(amount) else float(amount)
