"""Fine-tuning that the demo and users share: methods of one shape, on transformers' Trainer and peft.

Names are looked up when they are first used, so that naming a method does not import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_forgetting.training.ewc import EWC
    from pytest_forgetting.training.frozen import assert_base_frozen
    from pytest_forgetting.training.full import FullFineTune
    from pytest_forgetting.training.kl import KLToBase
    from pytest_forgetting.training.lora import LoRA
    from pytest_forgetting.training.recipe import RISKY, SAFE, Recipe
    from pytest_forgetting.training.replay import Replay
    from pytest_forgetting.training.rules import ForgettingWarning, check_arguments
    from pytest_forgetting.training.tuned import FineTuned
    from pytest_forgetting.training.tuning import finetune

_HOMES = {
    "EWC": "ewc",
    "FineTuned": "tuned",
    "ForgettingWarning": "rules",
    "FullFineTune": "full",
    "KLToBase": "kl",
    "LoRA": "lora",
    "RISKY": "recipe",
    "Recipe": "recipe",
    "Replay": "replay",
    "SAFE": "recipe",
    "assert_base_frozen": "frozen",
    "check_arguments": "rules",
    "finetune": "tuning",
}
__all__ = [
    "EWC",
    "RISKY",
    "SAFE",
    "FineTuned",
    "ForgettingWarning",
    "FullFineTune",
    "KLToBase",
    "LoRA",
    "Recipe",
    "Replay",
    "assert_base_frozen",
    "check_arguments",
    "finetune",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
