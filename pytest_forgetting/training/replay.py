"""Replay: the domain's data mixed with text of the base's own, so that what it could do is practised on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from math import ceil
from typing import TYPE_CHECKING

from pytest_forgetting.training.examples import Example
from pytest_forgetting.training.method import OfAllWeights, Passes, Unpenalised
from pytest_forgetting.training.recipe import SAFE, Recipe
from pytest_forgetting.training.steps import OnStep

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Replay(OfAllWeights, Unpenalised):
    """All weights, on the domain's examples mixed with texts that the base writes by itself.

    It needs none of the data that the base was made from (self-synthesized rehearsal: Huang et al., ACL 2024).
    """

    recipe: Recipe = SAFE
    share: float = 0.10
    """Of the base's own texts in the whole mixture, from 0 to under 1."""
    at_most: int = 1500
    """So many of them are written; where the share asks for more, they come round again."""

    def passes(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        domain: Sequence[Example],
        on_step: OnStep,
    ) -> Passes:
        """In each pass the domain's examples, and others of the base's own beside them."""
        from pytest_forgetting.training.own_texts import own_texts  # so that naming a method does not import torch

        wanted = self.own_count(len(domain))
        own = own_texts(model, tokenizer, min(wanted * self.recipe.epochs, self.at_most), on_step=on_step)
        supply = cycle([Example(text=text) for text in own])
        return [[*domain, *islice(supply, wanted)] for _ in range(self.recipe.epochs)]

    def own_count(self, domain: int) -> int:
        """How many own texts beside so many `domain` examples make `share` of the sum, rounded up."""
        return ceil(self.share / (1 - self.share) * domain)
