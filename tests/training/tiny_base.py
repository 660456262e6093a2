"""A base model of a few thousand parameters, made on the spot."""

from pathlib import Path

from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from pytest_forgetting.demo.base import tokenizer_for, untrained
from pytest_forgetting.training.reproducible import reproducible
from pytest_forgetting.training.saving import save

TEXTS = ("Question: one?\nAnswer: two\n", "Question: red?\nAnswer: blue\n")


def tiny_base() -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    """A model with random weights, the same ones each time, and a tokenizer for `TEXTS`."""
    tokenizer = tokenizer_for(TEXTS)
    with reproducible(0):
        model = untrained(tokenizer, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2)
    return model, tokenizer


def tiny_base_folder(folder: Path) -> Path:
    """The same as a saved model."""
    save(*tiny_base(), folder)
    return folder
