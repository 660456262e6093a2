"""Adapters, and what they leave alone."""

from pathlib import Path

import peft
import pytest
import torch
from transformers import AutoModelForCausalLM

from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.models.references import resolve
from pytest_forgetting.training import LoRA, Recipe, assert_base_frozen, finetune
from pytest_forgetting.training.lora import LESSON
from tests.training.tiny_base import TEXTS, tiny_base, tiny_base_folder

FAST = Recipe(learning_rate=1e-2, epochs=20, batch_size=1)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with random weights."""
    return tiny_base_folder(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture(scope="module")
def adapter(base: Path) -> Path:
    """An adapter on it, trained."""
    return finetune(base, TEXTS, method=LoRA(FAST), output_dir=base.with_name("adapter"), use_cpu=True).path


@torch.inference_mode()
def logits(model: torch.nn.Module) -> torch.Tensor:
    """On a fixed prompt."""
    out: torch.Tensor = model(input_ids=torch.tensor([[1, 5, 6, 7]])).logits
    return out


def test_what_is_saved_is_an_adapter_that_names_its_base(base: Path, adapter: Path) -> None:
    """`--model ./adapter` alone finds the base."""
    found = resolve(str(adapter))
    assert found.adapter == adapter
    assert found.weights == base
    assert not (adapter / "model.safetensors").exists()


def test_switching_the_adapter_off_restores_the_base_bit_by_bit(base: Path, adapter: Path) -> None:
    """And switching it on does not: the base is frozen, what the model says is not."""
    plain = logits(AutoModelForCausalLM.from_pretrained(base))
    model = peft.PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter)
    assert not torch.equal(logits(model), plain)
    with model.disable_adapter():
        assert torch.equal(logits(model), plain)


def test_all_linear_layers_are_targets_by_default() -> None:
    """Attention and MLP, without the output layer."""
    adapted = LoRA(rank=2).adapt(tiny_base()[0])
    names = {name.split(".")[-4] for name, p in adapted.named_parameters() if p.requires_grad}
    assert names == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


def test_the_preset_of_tutorials_is_at_hand() -> None:
    """Rank 16, alpha 32, dropout 0.1, on q and v."""
    config = LESSON.adapt(tiny_base()[0]).peft_config["default"]
    assert (config.r, config.lora_alpha, config.lora_dropout) == (16, 32, 0.1)
    assert config.target_modules == {"q_proj", "v_proj"}


def test_a_frozen_base_says_what_is_trainable() -> None:
    """Copies of whole modules are told apart from the adapter."""
    model = tiny_base()[0]
    options = peft.LoraConfig(r=2, target_modules=["q_proj"], modules_to_save=["lm_head"])
    assert assert_base_frozen(peft.get_peft_model(model, options)) == (
        f"128 parameters of the adapter are trainable, and {model.lm_head.weight.numel()} in copies of whole modules"
    )


def test_a_base_that_is_trained_along_is_named() -> None:
    """Somebody thawed a layer, or trains the biases."""
    adapted = LoRA(rank=2).adapt(tiny_base()[0])
    adapted.get_base_model().model.norm.weight.requires_grad_(True)
    with pytest.raises(AssertionError, match=r"^1 parameters of the base are trainable: base_model.*norm\.weight$"):
        assert_base_frozen(adapted)


def test_a_model_without_an_adapter_is_refused() -> None:
    """All of it is base."""
    with pytest.raises(AssertionError, match="LlamaForCausalLM has no adapter"):
        assert_base_frozen(tiny_base()[0])


def test_a_base_in_four_bits_is_learned_on(base: Path, tmp_path: Path) -> None:
    """QLoRA: what is saved is an adapter for the base as it lies on the disk."""
    pytest.importorskip("bitsandbytes")
    made = finetune(base, TEXTS, method=LoRA(FAST, quantization="4bit"), output_dir=tmp_path, use_cpu=True)
    assert made.losses[-1].loss < made.losses[0].loss
    assert resolve(str(made)).weights == base


def test_four_bits_need_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says which, and how to get it."""
    monkeypatch.setattr("pytest_forgetting.training.lora.find_spec", lambda _: None)
    with pytest.raises(WrongUsage, match=r"quantization 4bit needs bitsandbytes: pip install bitsandbytes"):
        LoRA(quantization="4bit").loading()
