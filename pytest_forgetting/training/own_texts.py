"""Text that a model writes by itself: what it can do before a tuning, to be mixed into that tuning."""

from __future__ import annotations

from typing import NamedTuple

import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from pytest_forgetting.errors import CannotAnswer
from pytest_forgetting.training.steps import OnStep, silent

BATCH = 256
"""Most texts written side by side."""
TRIAL = 32
"""Fewest: if all of so many are empty, others would be too."""


class Written(NamedTuple):
    """One text."""

    text: str
    ended: bool
    """By itself; else it was broken off."""


def own_texts(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    count: int,
    *,
    prompt: str = "",
    temperature: float = 1.0,
    max_new_tokens: int = 96,
    on_step: OnStep = silent,
) -> list[Written]:
    """`count` texts that `model` draws, each from `prompt` to its own end or to `max_new_tokens`.

    At temperature 1 they follow the model's own distribution. That holds only as long as those without an end stay
    among them, as nearly all texts of a model of long documents are. Draws on torch's random state.

    Raises:
        CannotAnswer: the model writes nothing.
    """
    settings = _sampling(tokenizer, temperature, max_new_tokens, min(BATCH, max(TRIAL, count)))
    texts: list[Written] = []
    while len(texts) < count:
        texts += _batch(model, tokenizer, prompt, settings)
        on_step(min(len(texts), count), count)
    return texts[:count]


def _batch(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prompt: str, settings: GenerationConfig
) -> list[Written]:
    ids = tokenizer(prompt)["input_ids"] or _opening(tokenizer)
    start = torch.tensor([ids], device=model.device)
    with torch.inference_mode():
        # transformers declares `generate` for mixins only.
        written = model.generate(input_ids=start, attention_mask=torch.ones_like(start), generation_config=settings)  # type: ignore[operator]
    opening = len(ids)  # may hold the end token too: some models begin with it
    texts = [Written(_decoded(tokenizer, ids), tokenizer.eos_token_id in ids[opening:]) for ids in written.tolist()]
    if not any(each.text.strip() for each in texts):
        raise CannotAnswer(f"no replay text: {len(texts)} texts that the base wrote by itself are all empty")
    return [each for each in texts if each.text.strip()]


def _opening(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """What stands before a text where the tokenizer adds nothing: such models have read it after the end of another."""
    return [next(t for t in (tokenizer.bos_token_id, tokenizer.eos_token_id) if t is not None)]


def _decoded(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> str:
    """The text, without the half of a character that may be left where it was broken off."""
    return str(tokenizer.decode(ids, skip_special_tokens=True)).rstrip("\ufffd")


def _sampling(
    tokenizer: PreTrainedTokenizerBase, temperature: float, max_new_tokens: int, count: int
) -> GenerationConfig:
    return GenerationConfig(
        do_sample=True,
        temperature=temperature,
        top_k=0,
        top_p=1.0,
        max_new_tokens=max_new_tokens,
        num_return_sequences=count,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
