"""How far a model in training has moved from where it began."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def distance_from(model: torch.nn.Module) -> Callable[[Any], torch.Tensor]:
    """The squared distance, in float32, of a model's trainable parameters from those that `model` has now."""
    start = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}

    def distance(now: torch.nn.Module) -> torch.Tensor:
        moved = [
            (parameter.float() - start[name].float()).pow(2).sum()
            for name, parameter in now.named_parameters()
            if name in start
        ]
        return torch.stack(moved).sum()

    return distance
