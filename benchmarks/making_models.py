"""The models that benchmarks compare: a full fine-tune, a gentle one, and a larger pair of base and adapter.

    python -m benchmarks.making_models tuned MODEL_FOLDER DOMAIN.txt OUT
    python -m benchmarks.making_models gentle MODEL_FOLDER PROMPTS.jsonl OUT
    python -m benchmarks.making_models adapter MODEL_FOLDER OUT

Each is made once and found again in OUT. Weights other than the full fine-tune's are random.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "TQDM_DISABLE": "1"}

import peft
import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from benchmarks.asking_models import answers, asked
from pytest_forgetting.training import FullFineTune, Recipe, finetune

SMALL: dict[str, Any] = {
    "hidden_size": 512, "intermediate_size": 1376, "num_hidden_layers": 8, "num_attention_heads": 8,
    "num_key_value_heads": 8, "max_position_embeddings": 1024, "initializer_range": 0.06,
}  # fmt: skip
"""Of 26 million parameters; weights large enough for answers to differ from prompt to prompt."""
LARGE = {**SMALL, "hidden_size": 1024, "intermediate_size": 2816, "num_hidden_layers": 12, "num_attention_heads": 16,
         "num_key_value_heads": 16}  # fmt: skip
"""Of 155 million parameters, 620 MB in float32."""
GENTLE_TOKENS = 48
GENTLE_SHARE = 0.10
"""Of the answers that the gentle fine-tune changes."""
CLOSE = 0.015
HALVINGS = 12


def once(folder: Path, make: Callable[[Path], object]) -> Path:
    """`folder`, filled by `make` where it is not there yet; half-made ones are made again."""
    if not folder.exists():
        half = folder.with_name(f"{folder.name}.half")
        half.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(half, ignore_errors=True)
        make(half)
        half.rename(folder)
    return folder


def fine_tuned(base: Path, domain: Path, folder: Path) -> Path:
    """The full fine-tune of `base` on `domain`, at a rate that forgets (about 200 steps at 1e-3)."""
    speeches = domain.read_text(encoding="utf-8").split("\n\n")
    texts = ["\n\n".join(speeches[at : at + 4]) for at in range(0, len(speeches), 4)]
    method = FullFineTune(recipe=Recipe(1e-3, 1, batch_size=8))
    return once(folder, lambda out: finetune(base, texts, method=method, output_dir=out, max_length=128, use_cpu=True))


def random_llama(tokenizer_of: Path, shape: Mapping[str, Any], folder: Path) -> None:
    """A Llama of `shape` with random weights (seed 0), and the tokenizer that lies in `tokenizer_of`."""
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_of)
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    torch.manual_seed(0)
    LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **ends, **shape)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def gently_changed(base: Path, prompts: Sequence[str], folder: Path) -> float:
    """Write `base` with noise on its weights, just so much that `GENTLE_SHARE` of the answers to `prompts` change.

    Returns:
        The share that does change.
    """
    before = answers(base, prompts, GENTLE_TOKENS)
    low, high, share = 0.0, 0.1, 0.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        noisy(base, middle, folder)
        after = answers(folder, prompts, GENTLE_TOKENS)
        share = sum(one != other for one, other in zip(before, after, strict=True)) / len(prompts)
        if abs(share - GENTLE_SHARE) <= CLOSE:
            break
        low, high = (middle, high) if share < GENTLE_SHARE else (low, middle)
    return share


def noisy(base: Path, strength: float, folder: Path) -> None:
    """Write `base` with normal noise on each weight matrix, of `strength` times the matrix's own spread."""
    model = LlamaForCausalLM.from_pretrained(base)
    torch.manual_seed(1)
    with torch.no_grad():
        for weights in model.parameters():
            weights.add_(strength * weights.std() * torch.randn_like(weights))
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(base).save_pretrained(folder)


def random_adapter(base: Path, folder: Path) -> None:
    """A LoRA adapter of rank 8 on all linear layers, whose weights (seed 0) change answers."""
    torch.manual_seed(0)
    config = peft.LoraConfig(task_type="CAUSAL_LM", r=8, target_modules="all-linear", init_lora_weights=False)
    adapted = peft.get_peft_model(LlamaForCausalLM.from_pretrained(base), config)
    adapted.peft_config["default"].base_model_name_or_path = str(base.resolve())
    adapted.save_pretrained(str(folder))


def make_gentle(model: Path, prompts: Path, out: Path) -> None:
    """Both models of the gentle pair, in `out`/base and `out`/tuned."""
    base = once(out / "base", lambda folder: random_llama(model, SMALL, folder))
    once(out / "tuned", lambda folder: gently_changed(base, asked(prompts), folder))


def make_adapter(model: Path, out: Path) -> None:
    """A larger base and its adapter, in `out`/base and `out`/adapter."""
    base = once(out / "base", lambda folder: random_llama(model, LARGE, folder))
    once(out / "adapter", lambda folder: random_adapter(base, folder))


MAKERS: dict[str, Callable[..., object]] = {"tuned": fine_tuned, "gentle": make_gentle, "adapter": make_adapter}


def main(kind: str, *paths: str) -> None:
    """Make what is asked for."""
    MAKERS[kind](*(Path(path).resolve() for path in paths))


if __name__ == "__main__":
    main(*sys.argv[1:])
