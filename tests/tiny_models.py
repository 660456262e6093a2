"""Real models of a few thousand parameters, made on the spot: nothing about transformers or peft is imitated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import peft
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    LlamaConfig,
    LlamaForCausalLM,
    MambaConfig,
    MistralConfig,
    PretrainedConfig,
    PreTrainedTokenizerFast,
)
from transformers.utils import logging

PAD, BEGIN, END = "<pad>", "<s>", "</s>"
TEXTS = ["The capital of France is Paris.", "What is 15 multiplied by 7? 105.", "Rome is the capital of Italy."]
SHAPE: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    # Large enough for the most likely token to differ from prompt to prompt.
    "initializer_range": 0.5,
}


def tiny_tokenizer(**kwargs: Any) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer of 288 entries that can write any text; `kwargs` such as chat_template are kept."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=288,
        special_tokens=[PAD, BEGIN, END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    bpe.train_from_iterator(TEXTS, trainer)
    special = {"pad_token": PAD, "bos_token": BEGIN, "eos_token": END}
    return PreTrainedTokenizerFast(tokenizer_object=bpe, **{**special, **kwargs})


def tiny_llama(folder: Path, seed: int = 0, tokenizer: PreTrainedTokenizerFast | None = None, **config: Any) -> Path:
    """Write a Llama with random weights, and its tokenizer, into `folder`; equal arguments give equal files.

    Args:
        folder: made where it is missing, and returned.
        seed: of the weights; the global random state stays as it was.
        tokenizer: other than `tiny_tokenizer()`.
        config: of `LlamaConfig`, over `SHAPE`.
    """
    tokenizer = tokenizer or tiny_tokenizer()
    special = {name: getattr(tokenizer, name) for name in ("pad_token_id", "bos_token_id", "eos_token_id")}
    shape = {"vocab_size": len(tokenizer), **special, **SHAPE, **config}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = LlamaForCausalLM(LlamaConfig(**shape))
    logging.disable_progress_bar()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_other(folder: Path, kind: str, seed: int = 0, tokenizer: PreTrainedTokenizerFast | None = None) -> Path:
    """The same of another architecture.

    ``gpt2`` has learned positions, ``mistral`` a window of 16 tokens, ``mamba`` a state in the place of a cache.
    """
    tokenizer = tokenizer or tiny_tokenizer()
    special = {name: getattr(tokenizer, name) for name in ("pad_token_id", "bos_token_id", "eos_token_id")}
    kinds: dict[str, Callable[..., PretrainedConfig]] = {
        "gpt2": lambda **common: GPT2Config(n_embd=16, n_layer=2, n_head=2, n_positions=128, **common),
        "mistral": lambda **common: MistralConfig(**{**SHAPE, **common}, sliding_window=16),
        "mamba": lambda **common: MambaConfig(hidden_size=16, state_size=4, num_hidden_layers=2, **common),
    }
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = kinds[kind](vocab_size=len(tokenizer), initializer_range=0.5, **special)
        model = AutoModelForCausalLM.from_config(config)
    logging.disable_progress_bar()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_adapter(
    folder: Path,
    base: Path,
    seed: int = 0,
    *,
    randomise: bool = True,
    rows: int | None = None,
    touch: Callable[[peft.PeftModel], None] | None = None,
    **lora: Any,
) -> Path:
    """Write a LoRA adapter for the checkpoint in `base` into `folder`, without a tokenizer.

    Args:
        folder: made where it is missing, and returned.
        base: a full checkpoint; its path is recorded in adapter_config.json.
        seed: of the adapter's weights; the global random state stays as it was.
        randomise: fill the matrices B too, which peft leaves at zero; without it the adapter changes nothing.
        rows: size to which the embeddings are brought first, as for added tokens.
        touch: changes the model before it is saved, as training would.
        lora: of `peft.LoraConfig`, over rank 4 on the attention's q and v.
    """
    options = {"r": 4, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM", **lora}
    logging.disable_progress_bar()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = LlamaForCausalLM.from_pretrained(base)
        if rows is not None:
            model.resize_token_embeddings(rows, mean_resizing=False)
        adapted = peft.get_peft_model(model, peft.LoraConfig(**options))
        for change in (_randomise if randomise else None, touch):
            if change is not None:
                change(adapted)
    adapted.save_pretrained(str(folder))
    return folder


@torch.no_grad()
def _randomise(adapted: peft.PeftModel) -> None:
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            parameter.normal_(std=0.5)


def scripted_llama(folder: Path, *scripts: Sequence[str], tokenizer: PreTrainedTokenizerFast) -> Path:
    """Write a Llama that says what `scripts` say: behind each of their tokens it holds the next one the likeliest.

    Its layers pass on what they are given, its embeddings are the unit vectors, and its head is the table of what
    follows what.

    Args:
        folder: made where it is missing, and returned.
        scripts: tokens by their names; none may be followed by two different ones.
        tokenizer: knows all of them.
    """
    size = len(tokenizer)
    special = {name: getattr(tokenizer, name) for name in ("pad_token_id", "bos_token_id", "eos_token_id")}
    shape = SHAPE | {"hidden_size": size, "num_attention_heads": 1, "num_key_value_heads": 1, "num_hidden_layers": 1}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=size, head_dim=16, **special, **shape))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "layernorm" not in name and "norm" not in name:
                parameter.zero_()
        model.model.embed_tokens.weight.copy_(torch.eye(size))
        for script in scripts:
            ids: Any = tokenizer.convert_tokens_to_ids(list(script))
            model.lm_head.weight[ids[1:], ids[:-1]] = 1.0
    logging.disable_progress_bar()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
