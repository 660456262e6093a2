"""Text that a model writes by itself: what it can do before a tuning, to be mixed into that tuning."""

from __future__ import annotations

import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from pytest_forgetting.errors import CannotAnswer
from pytest_forgetting.training.steps import OnStep, silent

BATCH = 256
"""Most texts written side by side."""
TRIAL = 32
"""Fewest: if none of so many comes to an end, another try would not either."""


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
    settings = _sampling(tokenizer, temperature, max_new_tokens, min(BATCH, max(TRIAL, count)))
    texts: list[str] = []
    while len(texts) < count:
        texts += _batch(model, tokenizer, prompt, settings)
        on_step(min(len(texts), count), count)
    return texts[:count]


def _batch(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prompt: str, settings: GenerationConfig
) -> list[str]:
    start = tokenizer(prompt, return_tensors="pt", return_token_type_ids=False).to(model.device)
    with torch.inference_mode():
        written = model.generate(**start, generation_config=settings)  # type: ignore[operator]
    opening = start["input_ids"].shape[1]  # may hold the end token too: some models begin with it
    ended = (ids for ids in written.tolist() if tokenizer.eos_token_id in ids[opening:])
    texts = [text for ids in ended if (text := str(tokenizer.decode(ids, skip_special_tokens=True))).strip()]
    if not texts:
        raise CannotAnswer(
            f"no replay text: {settings.num_return_sequences} texts that the base wrote by itself had no end "
            f"after {settings.max_new_tokens} tokens"
        )
    return texts


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
