"""Full fine-tuning: all weights, on the domain's data and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytest_forgetting.training.method import OfAllWeights, OnDomain, Penalty
from pytest_forgetting.training.recipe import SAFE, Recipe


@dataclass(frozen=True)
class FullFineTune(OnDomain, OfAllWeights):
    """Full fine-tuning; how much it forgets is above all a matter of the recipe."""

    recipe: Recipe = SAFE
    l2_sp: float = 0.0
    """Weight of a pull towards the base (L2-SP: Li et al. 2018, arXiv:1802.01483); AdamW's own decay pulls to zero."""

    def penalty(self, trained: Any) -> Penalty | None:
        """``l2_sp / 2`` times the squared distance of all parameters from the base."""
        if not self.l2_sp:
            return None
        from pytest_forgetting.training.anchor import distance_from

        distance = distance_from(trained)
        return lambda model: self.l2_sp / 2 * distance(model)
