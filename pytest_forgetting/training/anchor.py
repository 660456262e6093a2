"""How far a model in training has moved from where it began, weight by weight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer

from pytest_forgetting.errors import WrongUsage

Moved = Iterator[tuple[str, torch.Tensor]]
"""Names of weights, as in a full checkpoint, and their differences from the base in float32."""


class Anchor(Protocol):
    """The base as it stands before the first step of a training."""

    def weights(self) -> Mapping[str, torch.nn.Parameter]:
        """What the training changes, by the names of a full checkpoint."""

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """Within the block the model is the base, and its `weights` have gradients."""

    def moved(self, model: Any) -> Moved:
        """How far `model` is from here now, with gradients."""

    def distance(self, model: Any, importance: Mapping[str, torch.Tensor] | None = None) -> torch.Tensor:
        """Sum of squared differences, each times its `importance` (default 1), in float32 on the model's device."""


class _Summed:
    def moved(self, model: Any) -> Moved:
        raise NotImplementedError

    def distance(self, model: Any, importance: Mapping[str, torch.Tensor] | None = None) -> torch.Tensor:
        """Sum of squared differences."""
        squares = ((name, difference.pow(2)) for name, difference in self.moved(model))
        if importance is None:
            return torch.stack([square.sum() for _, square in squares]).sum()
        return torch.stack([(square * importance[name].to(square.device)).sum() for name, square in squares]).sum()


class Weights(_Summed):
    """Where the trainable parameters of a model stand by themselves."""

    def __init__(self, model: torch.nn.Module) -> None:
        """Keep a copy of each."""
        self._weights = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self._start = {name: p.detach().clone() for name, p in self._weights.items()}

    def weights(self) -> Mapping[str, torch.nn.Parameter]:
        """All that is trainable."""
        return self._weights

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """The model is the base until the first step."""
        yield

    def moved(self, model: Any) -> Moved:
        """Each parameter less its copy."""
        for name, parameter in model.named_parameters():
            if name in self._start:
                yield name, parameter.float() - self._start[name].to(parameter.device).float()


class Adapted(_Summed):
    """Where an adapter moves frozen weights: by the product of its matrices.

    At the start one of the two matrices is zero, so the other has no gradient: a Fisher of the matrices themselves
    would hold nothing in place.
    """

    def __init__(self, model: PeftModel) -> None:
        """Nothing needs a copy: the base stays in the model."""
        self._model = model
        self._names = {
            name: name.removeprefix("base_model.model.") + ".weight"
            for name, module in model.named_modules()
            if isinstance(module, LoraLayer)
        }

    def weights(self) -> Mapping[str, torch.nn.Parameter]:
        """The frozen weights that have an adapter beside them."""
        modules = dict(self._model.named_modules())
        return {full: modules[name].get_base_layer().weight for name, full in self._names.items()}

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """The adapter is off, and what it would move has gradients.

        Raises:
            WrongUsage: it has none, being quantized.
        """
        weights = self.weights().values()
        quantized = [name for name, weight in self.weights().items() if not weight.is_floating_point()]
        if quantized:
            raise WrongUsage(f"EWC needs gradients of {quantized[0]}, which is quantized; use KLToBase")
        with ExitStack() as stack:
            stack.enter_context(self._model.disable_adapter())
            for weight in weights:
                stack.callback(weight.requires_grad_, weight.requires_grad)
                weight.requires_grad_(True)
            yield

    def moved(self, model: Any) -> Moved:
        """The product of the matrices, times alpha / rank."""
        for name, module in model.named_modules():
            if name in self._names:
                yield self._names[name], module.get_delta_weight(model.active_adapter).float()


def anchored(trained: Any) -> Anchor:
    """The place of `trained` now, before its first step."""
    return Adapted(trained) if isinstance(trained, PeftModel) else Weights(trained)
