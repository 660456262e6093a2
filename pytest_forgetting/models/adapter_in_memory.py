"""An adapter on a model that the caller has loaded: whether its base is left when it is switched off."""

from __future__ import annotations

from typing import Any

from pytest_forgetting.models.zero_adapter import KEEPS_THE_BASE

_SIDE_BY_SIDE = ("modules_to_save.", "trainable_tokens_")
"""In the names of parameters that stand beside those of the base, which are kept."""


def changes_its_base(model: Any) -> str | None:
    """Why the base of the `PeftModel` `model` cannot speak by switching the adapter off; None where it can."""
    for config in model.peft_config.values():
        begun = getattr(config, "init_lora_weights", None)
        if begun not in KEEPS_THE_BASE:
            return f"its adapter began by changing the weights below it (init_lora_weights={begun!r})"
        if getattr(config, "bias", "none") != "none":
            return f"its adapter trains biases of its base (bias={config.bias!r})"
    if any(getattr(module, "merged", False) is True for module in model.modules()):
        return "its adapter is merged into the weights below it"
    learning = (name for name, value in model.named_parameters() if value.requires_grad and is_base(model, name))
    trained = next(learning, None)
    return None if trained is None else f"weights of its base are trained beside the adapter ({trained})"


def is_base(model: Any, name: str) -> bool:
    """Whether the parameter `name` of a `PeftModel` is its base's own."""
    prefix = getattr(model.base_model, "prefix", None)
    ours = [*_SIDE_BY_SIDE, *([f".{prefix}"] if prefix else []), "prompt_encoder."]
    return not any(each in f".{name}" for each in ours)
