"""What a way of fine-tuning is: which parameters it trains, and on what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from pytest_forgetting.training.examples import Example
from pytest_forgetting.training.recipe import Recipe
from pytest_forgetting.training.steps import OnStep

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Passes = Sequence[Sequence[Example]]
"""The examples of each pass of a training; one pass may hold others than the next."""

Penalty = Callable[[Any], "torch.Tensor"]
"""From the model in training to a scalar on its device."""


class Method(Protocol):
    """One way of fine-tuning; a frozen dataclass, so that it can be part of a cache key."""

    @property
    def recipe(self) -> Recipe:
        """How hard it trains."""

    def passes(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        domain: Sequence[Example],
        on_step: OnStep,
    ) -> Passes:
        """What is trained on, given the still untouched `model`; `on_step` hears of the work that this takes."""

    def adapt(self, model: PreTrainedModel) -> Any:
        """The model as it is trained: with some of its parameters frozen, or in a `PeftModel`."""

    def penalty(self, trained: Any) -> Penalty | None:
        """What is added to the loss of each step, taken from the model `trained` before its first step."""


class OnDomain:
    """Passes over the domain's examples and nothing else."""

    recipe: Recipe

    def passes(
        self,
        model: PreTrainedModel,  # noqa: ARG002
        tokenizer: PreTrainedTokenizerBase,  # noqa: ARG002
        domain: Sequence[Example],
        on_step: OnStep,  # noqa: ARG002
    ) -> Passes:
        """The same examples again and again."""
        return [domain] * self.recipe.epochs


class OfAllWeights:
    """Trains every parameter."""

    def adapt(self, model: PreTrainedModel) -> Any:
        """The model as it is."""
        return model


class Unpenalised:
    """Trains on its examples' loss alone."""

    def penalty(self, trained: Any) -> Penalty | None:  # noqa: ARG002
        """None."""
        return None
