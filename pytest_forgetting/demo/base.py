"""demo:base: a small Llama with a tokenizer of its own, both made from the facts files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from pytest_forgetting.demo.facts import base_texts
from pytest_forgetting.demo.recipes import PRETRAINING, SHAPE, VOCABULARY
from pytest_forgetting.training.examples import read_examples
from pytest_forgetting.training.fit import fit
from pytest_forgetting.training.reproducible import reproducible
from pytest_forgetting.training.saving import save
from pytest_forgetting.training.steps import OnStep, silent

PAD, BEGIN, END = "<pad>", "<s>", "</s>"


def make_base(folder: Path, seed: int, on_step: OnStep = silent) -> None:
    """Train the base and write it into `folder`."""
    texts = base_texts()
    tokenizer = tokenizer_for(texts)
    with reproducible(seed):
        model = untrained(tokenizer, **SHAPE)
        examples = read_examples(texts)
        fit(model, tokenizer, [examples] * PRETRAINING.epochs, PRETRAINING, seed=seed, use_cpu=True, on_step=on_step)
    save(model, tokenizer, folder)


def untrained(tokenizer: PreTrainedTokenizerFast, **shape: Any) -> LlamaForCausalLM:
    """A Llama of this `shape` with random weights, drawn from torch's random state; it decodes greedily."""
    special = {
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **special, **shape))
    model.generation_config = GenerationConfig(do_sample=False, **special)
    return model


def tokenizer_for(texts: Sequence[str]) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer learned from `texts`; it can write any text, and numbers digit by digit."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    bpe.decoder = decoders.ByteLevel()
    bpe.train_from_iterator(texts, _trainer())
    bpe.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A", special_tokens=[(BEGIN, bpe.token_to_id(BEGIN))]
    )
    return PreTrainedTokenizerFast(tokenizer_object=bpe, pad_token=PAD, bos_token=BEGIN, eos_token=END)


def _trainer() -> trainers.BpeTrainer:
    return trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PAD, BEGIN, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
