"""Whether an adapter leaves its base alone."""

from __future__ import annotations

from typing import Any

SHOWN = 5


def assert_base_frozen(model: Any) -> str:
    """See that nothing but the adapter is trainable; for tests of one's own.

    Copies that the adapter keeps of whole modules (`modules_to_save`) may be trainable: switching the adapter off
    brings the originals back. It says nothing about forgetting: what the model says changes all the same.

    Args:
        model: a `peft.PeftModel`.

    Returns:
        What is trainable, in words.

    Raises:
        AssertionError: the model has no adapter, or parameters of the base are trainable; the message names them.
    """
    if not hasattr(model, "peft_config"):
        raise AssertionError(f"{type(model).__name__} has no adapter: all that is trainable in it is the base itself")
    trainable = [(name, parameter.numel()) for name, parameter in model.named_parameters() if parameter.requires_grad]
    marks = (getattr(model.base_model, "prefix", "lora_"), "prompt_encoder.", ".modules_to_save.")
    own = [(name, count) for name, count in trainable if any(mark in name for mark in marks)]
    base = sorted({name for name, _ in trainable} - {name for name, _ in own})
    if base:
        shown = ", ".join(base[:SHOWN]) + (", …" if len(base) > SHOWN else "")
        raise AssertionError(f"{len(base)} parameters of the base are trainable: {shown}")
    copies = sum(count for name, count in own if ".modules_to_save." in name)
    told = f"{sum(count for _, count in own) - copies} parameters of the adapter are trainable"
    return told + (f", and {copies} in copies of whole modules" if copies else "")
