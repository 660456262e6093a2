"""Tiny models in memory, and the questions that they are asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import peft
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pytest_forgetting import Comparison

PROMPTS = [f"number {n}" for n in range(6)]
CASES = [{"prompt": prompt, "answer": "."} for prompt in PROMPTS]
"""Nobody knows these: what counts is what is said."""
LORA = peft.LoraConfig(r=4, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")


def loaded(folder: Path) -> tuple[Any, Any]:
    """Model and tokenizer, as a caller loads them."""
    loader: Any = AutoModelForCausalLM
    return loader.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)


def with_adapter(model: Any, seed: int = 0, **lora: Any) -> Any:
    """A LoRA adapter of random weights put on `model`, which it changes in place."""
    options = {"r": 4, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM", **lora}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        adapted = peft.get_peft_model(model, peft.LoraConfig(**options))
        with torch.no_grad():
            for name, parameter in adapted.named_parameters():
                if "lora_B" in name:
                    parameter.normal_(std=0.5)
    return adapted


def said(result: Comparison, side: str) -> list[str]:
    """The answers of one side."""
    return [getattr(case, side).answer for case in result]


def greedy(model: Any, tokenizer: Any, prompts: Sequence[str], new_tokens: int) -> list[str]:
    """What transformers' own `generate` says."""
    told = []
    for prompt in prompts:
        ids = tokenizer(prompt, return_tensors="pt")
        out = model.generate(**ids, max_new_tokens=new_tokens, do_sample=False)
        told.append(tokenizer.decode(out[0, ids["input_ids"].shape[1] :], skip_special_tokens=True))
    return told
