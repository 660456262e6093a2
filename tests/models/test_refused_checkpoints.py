"""Checkpoints that do not load are told in a plain word."""

import os
from pathlib import Path

import psutil
import pytest
from safetensors.torch import load_file, save_file
from transformers import LlamaForSequenceClassification, T5Config, ViTConfig

from pytest_forgetting.errors import WrongUsage
from tests.models.edits import edit_json
from tests.models.refusals import unloadable


def test_missing_weights_are_refused(ckpt: Path) -> None:
    """transformers would draw them at random, and the model would seem to have forgotten everything."""
    weights = load_file(ckpt / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, ckpt / "model.safetensors", metadata={"format": "pt"})
    assert "they lack model.layers.1.mlp.up_proj.weight, which the config asks for" in unloadable(ckpt)


def test_weights_saved_from_a_wrapped_model_are_refused(ckpt: Path) -> None:
    """Names with a prefix fit nowhere: all weights are missing."""
    weights = load_file(ckpt / "model.safetensors")
    prefixed = {f"module.base_model.{name}": weight for name, weight in weights.items()}
    save_file(prefixed, ckpt / "model.safetensors", metadata={"format": "pt"})
    message = unloadable(ckpt)
    assert "they lack lm_head.weight, " in message
    assert "and 18 more, which the config asks for" in message


def test_shapes_that_do_not_fit_are_refused(ckpt: Path) -> None:
    """Config and weights of two models in one folder."""
    edit_json(ckpt / "config.json", intermediate_size=48)
    assert "the shape of model.layers.0.mlp.down_proj.weight is [16, 32] in the weights and [16, 48]" in unloadable(
        ckpt
    )


@pytest.mark.parametrize("size", [50, 30_000])
def test_truncated_weights_are_refused(ckpt: Path, size: int) -> None:
    """A copy that was cut off is told with its file."""
    os.truncate(ckpt / "model.safetensors", size)
    assert "model.safetensors is truncated or no safetensors file" in unloadable(ckpt)


def test_encoder_decoder_is_refused(ckpt: Path) -> None:
    """A T5 is no causal language model, and that is what is said."""
    T5Config(architectures=["T5ForConditionalGeneration"]).save_pretrained(ckpt)
    assert "it is an encoder-decoder model (T5ForConditionalGeneration), no causal language model" in unloadable(ckpt)


def test_vision_model_is_refused(ckpt: Path) -> None:
    """So is what cannot speak at all."""
    ViTConfig().save_pretrained(ckpt)
    assert "it is a model of the kind 'vit', no causal language model" in unloadable(ckpt)


def test_classifier_is_refused(ckpt: Path) -> None:
    """A classifier with tied embeddings would load, and babble."""
    model = LlamaForSequenceClassification.from_pretrained(ckpt)
    model.config.tie_word_embeddings = True
    model.save_pretrained(ckpt)
    assert "it is a LlamaForSequenceClassification, no causal language model" in unloadable(ckpt)


def test_unknown_architecture_is_refused(ckpt: Path) -> None:
    """A model of tomorrow is told with the version of transformers and the nearest name."""
    edit_json(ckpt / "config.json", model_type="lama")
    assert "knows no architecture 'lama'; did you mean llama?" in unloadable(ckpt)


def test_config_without_architecture_is_refused(ckpt: Path) -> None:
    """A config that tells nothing is told."""
    edit_json(ckpt / "config.json", model_type=None)
    assert "its config.json names no 'model_type'" in unloadable(ckpt)


def test_nonsense_in_config_is_refused(ckpt: Path) -> None:
    """Values that make no model are told with the config's path."""
    edit_json(ckpt / "config.json", num_attention_heads="many")
    assert str(ckpt / "config.json") in unloadable(ckpt)


def test_code_of_its_own_needs_trust(ckpt: Path) -> None:
    """Code that comes with weights runs only for who says so."""
    edit_json(ckpt / "config.json", model_type="own", auto_map={"AutoConfig": "own.Config"})
    (ckpt / "own.py").write_text("raise SystemExit('this code has run')")
    assert "comes with code of its own, which only --trust-remote-code runs" in unloadable(ckpt, WrongUsage)


def test_missing_tokenizer_is_refused(ckpt: Path) -> None:
    """Weights alone read nothing."""
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (ckpt / name).unlink()
    assert f"there is no tokenizer (tokenizer.json or its like) in {ckpt}" in unloadable(ckpt)


def test_broken_tokenizer_is_refused(ckpt: Path) -> None:
    """A tokenizer that does not load is told with its folder."""
    (ckpt / "tokenizer.json").write_text("{")
    assert f"the tokenizer in {ckpt} does not load" in unloadable(ckpt)


@pytest.mark.parametrize("choice", ["8bit", "4bit"])
def test_quantization_without_its_package(base: Path, choice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is named, with the way to get it."""
    monkeypatch.setattr("pytest_forgetting.models.checkpoint.find_spec", lambda _: None)
    message = unloadable(base, WrongUsage, quantization=choice)
    assert message == f"--quantization {choice} needs the package bitsandbytes: pip install bitsandbytes"


def test_unknown_quantization(base: Path) -> None:
    """Anything else is told with what there is."""
    assert unloadable(base, WrongUsage, quantization="2bit") == "--quantization 2bit: is none of none, 8bit, 4bit"


def test_lack_of_memory(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that does not fit is told before the system ends the process for it."""
    free = psutil.virtual_memory()._replace(available=1000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    assert "out of memory while loading" in unloadable(base)
