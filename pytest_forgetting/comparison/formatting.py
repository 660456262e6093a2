"""Figures as people read them: shares, points, cases, log-likelihoods."""

from __future__ import annotations

from fractions import Fraction

from pytest_forgetting.comparison.outcomes import Amount


def percent(share: Fraction | None) -> str:
    """A share for people: ``94.2 %``."""
    return "–" if share is None else f"{float(share) * 100:.1f} %"


def points(share: Fraction) -> str:
    """A difference of shares for people: ``10 pts``."""
    return f"{float(share) * 100:g} pts"


def growth(share: float) -> str:
    """By how much something grew or shrank, for people: ``+1.2 %``."""
    return f"{share * 100:+.1f} %".replace("-", "−")


def amount(number: Amount) -> str:
    """Cases for people: whole numbers as they are, parts of cases with a decimal."""
    return str(number) if isinstance(number, int) or number.denominator == 1 else f"{float(number):.1f}"


def nats(loglikelihood: float) -> str:
    """A log-likelihood for people: ``−2.1``."""
    text = f"{loglikelihood:.1f}"
    return "0.0" if text == "-0.0" else text.replace("-", "−")
