"""How much a model's context holds."""

from pathlib import Path

import peft
import torch
from transformers import AutoModelForCausalLM, MptConfig, MptForCausalLM

from pytest_forgetting.answers.asking import ask
from pytest_forgetting.answers.requests import Conditions, Request
from pytest_forgetting.models.loading import LoadedPair, LoadOptions
from pytest_forgetting.models.references import resolve
from tests.tiny_models import tiny_other, tiny_tokenizer


def learned_prompt(folder: Path, base: Path) -> Path:
    """An adapter of eight virtual tokens."""
    config = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=8)
    peft.get_peft_model(AutoModelForCausalLM.from_pretrained(base), config).save_pretrained(str(folder))
    return folder


def test_a_learned_prompt_takes_up_room(tmp_path: Path) -> None:
    """GPT-2 has 128 positions: behind eight virtual tokens there is room for 120, and an answer ends there."""
    base = tiny_other(tmp_path / "base", "gpt2")
    pair = LoadedPair({"model": resolve(str(learned_prompt(tmp_path / "tuned", base)))}, LoadOptions(device="cpu"))
    answers: dict[int, object] = {}
    with pair.speaking("model") as loaded:
        assert loaded.context_length == 120
        ask(loaded, [Request("a" * 115, (), (), 50)], Conditions("f", None), answers.update)
    assert len(answers[0].tokens) == 5  # type: ignore[attr-defined]  # the answers are texts, not likelihoods


def test_the_base_below_a_learned_prompt_has_all_of_its_context(tmp_path: Path) -> None:
    """It speaks through the same copy of the weights, with the adapter off."""
    base = tiny_other(tmp_path / "base", "gpt2")
    tuned = learned_prompt(tmp_path / "tuned", base)
    pair = LoadedPair({"baseline": resolve(str(base)), "model": resolve(str(tuned))}, LoadOptions(device="cpu"))
    with pair.speaking("model"):
        pass
    with pair.speaking("baseline") as loaded:
        assert loaded.context_length == 128


def test_mpt_has_another_name_for_it(tmp_path: Path) -> None:
    """Its config says max_seq_len."""
    tokenizer = tiny_tokenizer()
    with torch.random.fork_rng():
        MptForCausalLM(
            MptConfig(d_model=16, n_heads=2, n_layers=1, max_seq_len=64, vocab_size=len(tokenizer))
        ).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with LoadedPair({"model": resolve(str(tmp_path))}, LoadOptions(device="cpu")).speaking("model") as loaded:
        assert loaded.context_length == 64
