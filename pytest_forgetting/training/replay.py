"""Text that a model writes by itself: what it can do before a tuning, to be mixed into that tuning."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from pytest_forgetting.errors import CannotAnswer
from pytest_forgetting.training.steps import OnStep, silent

BATCH = 256
"""Texts written side by side."""


def own_texts(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    count: int,
    *,
    prompt: str = "",
    temperature: float = 1.0,
    max_new_tokens: int = 96,
    on_step: OnStep = silent,
) -> list[str]:
    """`count` texts that `model` draws, each from `prompt` to its own end.

    At temperature 1 they follow the model's own distribution. Texts that find no end within `max_new_tokens` are
    drawn anew: from them a tuned model would learn to end in mid-sentence. Draws on torch's random state.

    Raises:
        CannotAnswer: the model hardly ever comes to an end.
    """
    start = tokenizer(prompt, return_tensors="pt", return_token_type_ids=False).to(model.device)
    settings = _sampling(tokenizer, temperature, max_new_tokens, min(BATCH, count))
    texts: list[str] = []
    while len(texts) < count:
        with torch.inference_mode():
            written = model.generate(**start, generation_config=settings)  # type: ignore[operator]
        ended = _ended(tokenizer, written.tolist())
        if not ended:
            raise CannotAnswer(
                f"no replay text: {settings.num_return_sequences} texts that the base wrote by itself had no end "
                f"after {max_new_tokens} tokens"
            )
        texts += ended
        on_step(min(len(texts), count), count)
    return texts[:count]


def _ended(tokenizer: PreTrainedTokenizerBase, written: Iterable[list[int]]) -> list[str]:
    texts = (str(tokenizer.decode(ids, skip_special_tokens=True)) for ids in written if tokenizer.eos_token_id in ids)
    return [text for text in texts if text.strip()]


def _sampling(
    tokenizer: PreTrainedTokenizerBase, temperature: float, max_new_tokens: int, count: int
) -> GenerationConfig:
    return GenerationConfig(  # type: ignore[no-untyped-call]
        do_sample=True,
        temperature=temperature,
        top_k=0,
        top_p=1.0,
        max_new_tokens=max_new_tokens,
        num_return_sequences=count,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
