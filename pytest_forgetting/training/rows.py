"""Training texts as rows of tokens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class Row(TypedDict):
    """One text, ready for the trainer."""

    input_ids: list[int]
    labels: list[int]


def row(tokenizer: PreTrainedTokenizerBase, text: str) -> Row:
    """`text` with the tokenizer's own opening tokens, and the end token that the model must learn to give.

    Every token is learned. The collator pads `labels` by length, so an end token that doubles as padding stays.
    """
    ids: list[int] = tokenizer(text)["input_ids"]
    if ids[-1] != tokenizer.eos_token_id:
        ids = [*ids, tokenizer.eos_token_id]
    return {"input_ids": ids, "labels": ids}


def rows(tokenizer: PreTrainedTokenizerBase, texts: Iterable[str]) -> list[Row]:
    """A row for each of `texts`, in their order."""
    return [row(tokenizer, text) for text in texts]
