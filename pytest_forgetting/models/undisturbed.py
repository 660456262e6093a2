"""Asking somebody else's model without leaving a trace: modes, gradients and random numbers stay as they were."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy
import torch


@contextmanager
def undisturbed(model: torch.nn.Module) -> Iterator[None]:
    """Within the block `model` is in evaluation mode; after it each of its modules and parameters is as it was."""
    modes = [(module, module.training) for module in model.modules()]
    trained = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    model.eval()
    try:
        with random_numbers_kept():
            yield
    finally:
        for module, training in modes:
            module.training = training
        for parameter, wanted in trained:
            if parameter.requires_grad != wanted:  # peft sets it anew where it switches an adapter on again
                parameter.requires_grad_(wanted)


@contextmanager
def random_numbers_kept() -> Iterator[None]:
    """Whatever is drawn within the block, Python, NumPy and torch go on after it as if it had not been."""
    python, array = random.getstate(), numpy.random.get_state()
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices):
        try:
            yield
        finally:
            numpy.random.set_state(array)
            random.setstate(python)
