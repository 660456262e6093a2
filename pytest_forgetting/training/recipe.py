"""How hard a training pulls: the settings that every method shares."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of one training; immutable, so that a recipe can be part of a cache key."""

    learning_rate: float
    """The peak, reached after the warm-up and lowered along a cosine from there on."""
    epochs: int
    """Passes over the training texts."""
    batch_size: int = 16
    """Texts per step."""
    warmup: float = 0.05
    """Share of all steps, from 0 to 1."""
    weight_decay: float = 0.0
    """Of AdamW. It pulls towards zero, not towards the base, so it does not guard against forgetting."""
