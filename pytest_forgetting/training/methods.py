"""Ways to tune a model: each says what it is trained on, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from math import ceil
from typing import TYPE_CHECKING, Protocol

from pytest_forgetting.training.recipe import Recipe
from pytest_forgetting.training.steps import OnStep

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class Method(Protocol):
    """What `finetune` asks of a method."""

    @property
    def recipe(self) -> Recipe:
        """How hard it trains."""

    def passes(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        domain: Sequence[str],
        on_step: OnStep,
    ) -> Sequence[Sequence[str]]:
        """The texts of each pass of the training, given the still untouched `model`.

        `on_step` hears of the work that this takes.
        """


@dataclass(frozen=True, slots=True)
class FullFineTune:
    """All weights, on the domain's texts and nothing else."""

    recipe: Recipe

    def passes(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        domain: Sequence[str],
        on_step: OnStep,
    ) -> Sequence[Sequence[str]]:
        """The domain's texts, again and again."""
        del model, tokenizer, on_step
        return [domain] * self.recipe.epochs


@dataclass(frozen=True, slots=True)
class Replay:
    """All weights, on the domain's texts mixed with texts that the base writes by itself.

    It needs none of the data that the base was made from (self-synthesized rehearsal: Huang et al., ACL 2024).
    """

    recipe: Recipe
    share: float = 0.10
    """Of the base's own texts in the whole mixture, from 0 to under 1."""
    at_most: int = 1500
    """So many of them are written; where the share asks for more, they come round again."""

    def passes(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        domain: Sequence[str],
        on_step: OnStep,
    ) -> Sequence[Sequence[str]]:
        """In each pass the domain's texts, and others of the base's own beside them."""
        from pytest_forgetting.training.replay import own_texts  # here, so that naming a method does not import torch

        wanted = self.own_count(len(domain))
        own = own_texts(model, tokenizer, min(wanted * self.recipe.epochs, self.at_most), on_step=on_step)
        supply = cycle(own)
        return [[*domain, *islice(supply, wanted)] for _ in range(self.recipe.epochs)]

    def own_count(self, domain: int) -> int:
        """How many own texts beside so many `domain` texts make `share` of the sum, rounded up."""
        return ceil(self.share / (1 - self.share) * domain)
