"""Replay: the domain's data mixed with other data, so that what the base could do is practised on."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import cycle
from math import ceil
from typing import TYPE_CHECKING, Any, Literal

from pytest_forgetting.training.examples import Example
from pytest_forgetting.training.full import FullFineTune
from pytest_forgetting.training.method import Around, Method, Passes, read_general
from pytest_forgetting.training.recipe import see
from pytest_forgetting.training.rules import ForgettingWarning
from pytest_forgetting.training.steps import OnStep

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Replay(Around):
    """A method, on the domain's examples mixed with general ones.

    Without a general set the base writes its own: that needs none of the data that it was made from (self-synthesized
    rehearsal: Huang et al., ACL 2024).
    """

    of: Method = field(default_factory=FullFineTune)
    """What trains on the mixture, with its recipe."""
    share: float = 0.10
    """Of the replayed examples in the whole mixture, from 0 to under 1."""
    measure: Literal["rows", "tokens"] = "rows"
    """What the share is a share of; in tokens it is met within one example."""
    general: Any = None
    """A general set, in any form that `read_examples` takes, read at once; None: the base writes its own."""
    at_most: int = 1500
    """So many texts the base writes; where the share asks for more, they come round again."""
    seed: int = 0
    """Of the order in which the general set is drawn."""

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            WrongUsage: one of them cannot be meant, or the general set cannot be learned from.
        """
        read_general(self)
        see("Replay: share", self.share, 0 <= self.share < 1, "one from 0 to under 1, of the whole mixture")
        see("Replay: measure", self.measure, self.measure in ("rows", "tokens"), "rows or tokens")
        see("Replay: at_most", self.at_most, self.at_most >= 1, "1 or more")

    def passes(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        domain: Sequence[Example],
        on_step: OnStep,
    ) -> Passes:
        """In each pass the domain's examples, and fresh others beside them until they have all been there."""
        size, passes = self._size(tokenizer), self.of.passes(model, tokenizer, domain, on_step)
        wanted = beside(self.share, sum(map(size, passes[0])))
        if self.general is None:
            supply = self._own(model, tokenizer, len(passes[0]), on_step)
        else:
            supply = self._given(wanted, size)
        return [[*each, *_taken(supply, wanted, size)] for each in passes]

    def _size(self, tokenizer: PreTrainedTokenizerBase) -> Callable[[Example], int]:
        if self.measure == "rows":
            return lambda _: 1
        from pytest_forgetting.training.rows import rows

        return lambda example: len(rows(tokenizer, [example])[0]["input_ids"])

    def _own(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, domain: int, on_step: OnStep
    ) -> Iterator[Example]:
        """Texts of the base's own, round and round."""
        from pytest_forgetting.training.general import own_examples  # so that naming a method does not import torch

        count = min(ceil(beside(self.share, domain)) * self.recipe.epochs, self.at_most)
        return cycle(own_examples(model, tokenizer, count, on_step))

    def _given(self, wanted: Fraction, size: Callable[[Example], int]) -> Iterator[Example]:
        """The general set in an order of its own, round and round."""
        examples = list(self.general)
        there = sum(map(size, examples))
        if there < wanted:
            warnings.warn(
                f"replay: {self.share:g} of the mixture is {ceil(wanted)} {self.measure} a pass, and the general set"
                f" has {there}: its examples come round {float(wanted / there):.1f} times in each",
                ForgettingWarning,
                stacklevel=2,
            )
        random.Random(self.seed).shuffle(examples)
        return cycle(examples)


def beside(share: float, domain: int) -> Fraction:
    """How much beside `domain` makes `share` of the sum, exactly: 0.1 is one tenth, of the mixture."""
    part = Fraction(str(share))
    return part / (1 - part) * domain


def _taken(supply: Iterator[Example], wanted: Fraction, size: Callable[[Example], int]) -> list[Example]:
    """As many from `supply` as make at least `wanted`, and not one more."""
    taken: list[Example] = []
    total = 0
    while total < wanted:
        taken.append(next(supply))
        total += size(taken[-1])
    return taken
