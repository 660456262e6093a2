"""How hard a training pulls: the settings that every method shares."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Literal

from pytest_forgetting.errors import WrongUsage

Schedule = Literal["cosine", "linear", "constant"]
SCHEDULES: tuple[Schedule, ...] = ("cosine", "linear", "constant")


def see(name: str, value: object, holds: bool, wanted: str) -> None:
    """Refuse a setting that cannot be meant, when it is given and not an hour later.

    Raises:
        WrongUsage: it does not hold.
    """
    if not holds:
        raise WrongUsage(f"{name} {value!r}; wanted {wanted}")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of one training; immutable, so that a recipe can be part of a cache key."""

    learning_rate: float
    """The peak, reached after the warm-up."""
    epochs: int
    """Passes over the training texts."""
    batch_size: int = 16
    """Texts per step."""
    warmup: float = 0.05
    """Share of all steps, from 0 to 1; less than one step is none."""
    schedule: Schedule = "cosine"
    """How the rate goes on from its peak."""
    weight_decay: float = 0.0
    """Of AdamW. It pulls towards zero, not towards the base, so it does not guard against forgetting."""

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            WrongUsage: one of them cannot be meant.
        """
        see("learning_rate", self.learning_rate, self.learning_rate > 0 and isfinite(self.learning_rate), "above 0")
        for name, count in (("epochs", self.epochs), ("batch_size", self.batch_size)):
            see(name, count, isinstance(count, int) and count >= 1, "a whole number from 1")
        see("warmup", self.warmup, 0 <= self.warmup < 1, "a share of all steps, from 0 to under 1")
        see("schedule", self.schedule, self.schedule in SCHEDULES, " or ".join(SCHEDULES))
        see("weight_decay", self.weight_decay, self.weight_decay >= 0 and isfinite(self.weight_decay), "0 or more")


RISKY = Recipe(learning_rate=5e-5, epochs=10, batch_size=1, warmup=0.0, schedule="linear")
"""What is warned of: a rate that is high for full fine-tuning, many passes, one example a step, no warm-up."""
SAFE = Recipe(learning_rate=2e-5, epochs=3, batch_size=16, warmup=0.05)
"""A lower rate, few passes, a warm-up. Lower still forgets less: 1e-6 (arXiv:2509.20758)."""
LORA = Recipe(learning_rate=2e-4, epochs=3, batch_size=16, warmup=0.05)
"""Adapters take about ten times the rate of full fine-tuning."""
