"""Text of the kind that a model could do before a tuning: given, or written by the model itself."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from pytest_forgetting.training.examples import REPLAY, Example
from pytest_forgetting.training.own_texts import own_texts
from pytest_forgetting.training.rows import Row, rows
from pytest_forgetting.training.steps import OnStep

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

T = TypeVar("T")


def own_examples(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, count: int, on_step: OnStep
) -> list[Example]:
    """`count` texts that `model` writes by itself."""
    written = own_texts(model, tokenizer, count, on_step=on_step)
    return [Example(text=each.text, source=REPLAY, whole=each.ended) for each in written]


def general_rows(
    general: Sequence[Example] | None,
    count: int,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    on_step: OnStep,
) -> list[Row]:
    """At most `count` rows of the set `general`, drawn from Python's random state; None: `model` writes so many.

    Raises:
        CannotAnswer: the model writes nothing.
    """
    if general is None:
        return rows(tokenizer, own_examples(model, tokenizer, count, on_step))
    return rows(tokenizer, random.sample(general, min(count, len(general))))


def told(work: Iterator[T], total: int, on_step: OnStep) -> Iterator[T]:
    """The same, telling after each how far it is."""
    for done, each in enumerate(work, 1):
        yield each
        on_step(done, total)
