"""Tiny random models of many architectures, to be compared with what transformers makes of them by itself."""

from __future__ import annotations

from typing import Any

import torch
from transformers import CONFIG_MAPPING, AutoConfig, AutoModelForCausalLM

from pytest_forgetting.models.loaded_model import LoadedModel
from tests.tiny_models import tiny_tokenizer

CONTEXT = 96
WORDS = 60
"""Entries of the vocabulary: few, so that a random prompt often begins like another."""
_SIZES: dict[str, Any] = {
    "vocab_size": WORDS,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": CONTEXT,
    "initializer_range": 0.4,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
_GROUPED = {"num_key_value_heads": 2}
_WINDOWS = {**_GROUPED, "head_dim": 8, "sliding_window": 12}
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "llama": _GROUPED,
    "mistral": {**_GROUPED, "sliding_window": 12},
    "qwen2": _GROUPED,
    "qwen2-windows": {**_GROUPED, "use_sliding_window": True, "sliding_window": 12, "max_window_layers": 1},
    "qwen3": {**_GROUPED, "head_dim": 8},
    "gemma": {**_GROUPED, "head_dim": 8},
    "gemma2": _WINDOWS,
    "gemma3_text": {**_WINDOWS, "layer_types": ["sliding_attention", "full_attention", "sliding_attention"]},
    "cohere": _GROUPED,
    "olmo2": _GROUPED,
    "gpt_neox": {"use_parallel_residual": True},
    "gpt2": {"n_positions": CONTEXT, "n_embd": 32, "n_layer": 3, "n_head": 4},
    "gptj": {"n_positions": CONTEXT, "n_embd": 32, "n_layer": 3, "n_head": 4, "rotary_dim": 4},
    "gpt_neo": {"attention_types": [[["global", "local"], 1], [["global"], 1]], "num_layers": 3, "num_heads": 4,
                "window_size": 12},
    "gpt_bigcode": {"n_positions": CONTEXT, "n_embd": 32, "n_layer": 3, "n_head": 4},
    "opt": {"ffn_dim": 48, "word_embed_proj_dim": 32, "dropout": 0.0},
    "bloom": {"n_layer": 3, "n_head": 4},
    "mpt": {"d_model": 32, "n_layers": 3, "n_heads": 4, "max_seq_len": CONTEXT},
    "falcon": {"new_decoder_architecture": False, "multi_query": True, "alibi": False},
    "falcon-alibi": {"new_decoder_architecture": False, "multi_query": True, "alibi": True},
    "phi": {"partial_rotary_factor": 0.5},
    "phi3": _GROUPED,
    "stablelm": _GROUPED,
    "starcoder2": {**_GROUPED, "sliding_window": 12},
    "mamba": {"state_size": 4},
    "lfm2": {**_GROUPED, "block_dim": 32, "block_ff_dim": 48, "layer_types": ["conv", "full_attention", "conv"]},
    "openai-gpt": {"n_positions": CONTEXT, "n_embd": 32, "n_layer": 3, "n_head": 4},
    "roformer": {"is_decoder": True, "embedding_size": 32},
}  # fmt: skip
"""By name (a model type, up to a dash where that is none): what a configuration says beside the sizes."""


def tiny(name: str, seed: int) -> LoadedModel:
    """A model of the architecture `name` with random weights, ready to be asked."""
    kind = name if name in CONFIG_MAPPING else name.partition("-")[0]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = AutoConfig.for_model(kind, **{**_SIZES, **ARCHITECTURES[name]})
        model = AutoModelForCausalLM.from_config(config)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.ndim == 1:  # norms and biases, which begin as ones and zeros
                    parameter.add_(torch.randn_like(parameter) * 0.1)
    model.eval()
    return LoadedModel(model, tiny_tokenizer(), "cpu", "float32", frozenset({2}), CONTEXT, model.num_parameters())
