"""Figures as people read them."""

from collections.abc import Callable
from fractions import Fraction

import pytest

from pytest_forgetting.comparison.formatting import amount, growth, nats, percent, points


@pytest.mark.parametrize(
    ("tell", "figure", "text"),
    [
        (percent, Fraction(942, 1000), "94.2 %"),
        (percent, None, "–"),
        (points, Fraction(1, 10), "10 pts"),
        (points, Fraction(-225, 1000), "-22.5 pts"),
        (growth, 0.012, "+1.2 %"),
        (growth, -0.05, "−5.0 %"),
        (amount, 3, "3"),
        (amount, Fraction(6, 2), "3"),
        (amount, Fraction(5, 2), "2.5"),
        (nats, -2.1, "−2.1"),
        (nats, -0.04, "0.0"),
        (nats, 3.0, "3.0"),
    ],
)
def test_figures_are_told_for_people(tell: Callable[[object], str], figure: object, text: str) -> None:
    """Shares, differences, growth, cases and log-likelihoods each in their own form."""
    assert tell(figure) == text
