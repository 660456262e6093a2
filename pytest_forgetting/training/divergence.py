"""How far what a model says is from what its base says."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from typing import Any, cast

import torch
from peft import PeftModel
from transformers import BatchEncoding, DataCollatorForSeq2Seq, PreTrainedTokenizerBase

from pytest_forgetting.training.fisher import evaluating
from pytest_forgetting.training.rows import NOT_LEARNED, Row


class Teacher:
    """The base, as it was before the first step."""

    def __init__(self, trained: Any) -> None:
        """An adapter's base is in the model already; of any other model a copy is kept."""
        self._copy = None if isinstance(trained, PeftModel) else copy.deepcopy(trained).eval().requires_grad_(False)

    def divergence(self, model: Any, batch: Mapping[str, Any], logits: torch.Tensor) -> torch.Tensor:
        """KL(base || model) in nats, mean over the positions of `batch` that are learned; `logits` are the model's."""
        learned = batch["labels"][:, 1:] != NOT_LEARNED
        said = torch.log_softmax(logits[:, :-1][learned].float(), dim=-1)
        wanted = torch.log_softmax(self._logits(model, batch)[:, :-1][learned].float(), dim=-1)
        total = torch.nn.functional.kl_div(said, wanted, log_target=True, reduction="sum")
        return cast("torch.Tensor", total / learned.sum())

    @torch.no_grad()
    def _logits(self, model: Any, batch: Mapping[str, Any]) -> torch.Tensor:
        if self._copy is not None:
            return cast("torch.Tensor", self._copy.to(model.device)(**inputs_of(batch)).logits)
        with evaluating(model), model.disable_adapter():
            return cast("torch.Tensor", model(**inputs_of(batch)).logits)


def inputs_of(batch: Mapping[str, Any]) -> dict[str, Any]:
    """What a model reads of `batch`, without the labels: their loss is not wanted."""
    return {name: batch[name] for name in ("input_ids", "attention_mask")}


def batches(rows: Sequence[Row], size: int, tokenizer: PreTrainedTokenizerBase) -> Iterator[BatchEncoding]:
    """Padded batches of `rows` in an order drawn once from Python's random state, round and round."""
    collate, supply = DataCollatorForSeq2Seq(tokenizer), cycle(random.sample(rows, len(rows)))
    while True:
        yield collate([dict(next(supply)) for _ in range(min(size, len(rows)))])
