"""When two sides share one copy of the weights, and that each is then exactly itself."""

import shutil
import sys
from pathlib import Path

import pytest
import torch
from peft import IA3Config, PeftConfig, PeftModel, PrefixTuningConfig, VBLoRAConfig, get_peft_model
from transformers import LlamaForCausalLM

from pytest_forgetting.answers.sides import SideName
from tests.models.asking import alone, logits, pair, tuned_alone
from tests.tiny_models import tiny_adapter, tiny_tokenizer


@pytest.mark.parametrize("order", [("baseline", "model"), ("model", "baseline")])
def test_adapter_and_its_base_share_the_weights(
    base: Path, adapter: Path, loads: list[str], order: tuple[SideName, SideName]
) -> None:
    """Whoever is asked first: one load, and bit for bit what each says alone."""
    both = pair(adapter)
    said = {side: logits(both, side) for side in (*order, *order)}
    assert torch.equal(said["baseline"], alone(base))
    assert torch.equal(said["model"], tuned_alone(base, adapter))
    assert not torch.equal(said["model"], said["baseline"])
    assert (len(loads), both.notes) == (1, [])


def test_shared_weights_lie_in_memory_once(adapter: Path) -> None:
    """Both sides read the very same tensors."""
    both, places = pair(adapter), {}
    sides: tuple[SideName, ...] = ("baseline", "model")
    for side in sides:
        with both.speaking(side) as loaded:
            named = loaded.model.named_parameters()
            places[side] = {parameter.data_ptr() for name, parameter in named if "lora_" not in name}
    assert places["baseline"] == places["model"]


def test_adapter_is_on_again_after_the_baseline_spoke(adapter: Path) -> None:
    """Even if asking the baseline ended with an error."""
    both = pair(adapter)
    before = logits(both, "model")
    with pytest.raises(KeyError), both.speaking("baseline"):
        raise KeyError
    assert torch.equal(logits(both, "model"), before)


def test_side_that_is_never_asked_is_never_loaded(adapter: Path, loads: list[str]) -> None:
    """Nothing is loaded ahead, no adapter put on for the baseline alone."""
    both = pair(adapter)
    assert loads == []
    with both.speaking("baseline") as loaded:
        assert not isinstance(loaded.model, PeftModel)
    assert loads == ["base"]


def test_copy_of_the_base_shares_too(base: Path, adapter: Path, tmp_path: Path, loads: list[str]) -> None:
    """The baseline need not lie where the adapter looks for it: equal fingerprints suffice."""
    both = pair(adapter, str(shutil.copytree(base, tmp_path / "copy")))
    assert torch.equal(logits(both, "baseline"), alone(base))
    logits(both, "model")
    assert len(loads) == 1


def test_adapter_with_its_own_tokenizer_shares_too(base: Path, tmp_path: Path, loads: list[str]) -> None:
    """Each side reads through its own tokenizer, and ends where that says."""
    folder = tiny_adapter(tmp_path / "adapter", base)
    tiny_tokenizer(eos_token="<pad>").save_pretrained(folder)
    both = pair(folder)
    with both.speaking("model") as loaded:
        assert loaded.eos_token_ids == {0, 2}
    with both.speaking("baseline") as loaded:
        assert loaded.eos_token_ids == {2}
    assert len(loads) == 1


def test_same_model_on_both_sides_is_loaded_once(base: Path, loads: list[str]) -> None:
    """A model against itself."""
    both = pair(base, str(base))
    assert torch.equal(logits(both, "baseline"), logits(both, "model"))
    assert len(loads) == 1


def test_same_adapter_on_both_sides_is_loaded_once(adapter: Path, base: Path, loads: list[str]) -> None:
    """An adapter against itself: on for both."""
    both = pair(adapter, str(adapter))
    assert torch.equal(logits(both, "baseline"), tuned_alone(base, adapter))
    assert torch.equal(logits(both, "model"), tuned_alone(base, adapter))
    assert len(loads) == 1


def test_adapter_as_the_baseline_of_its_base(base: Path, adapter: Path, loads: list[str]) -> None:
    """Sharing does not depend on who is compared with whom."""
    both = pair(base, str(adapter))
    assert torch.equal(logits(both, "baseline"), tuned_alone(base, adapter))
    assert torch.equal(logits(both, "model"), alone(base))
    assert len(loads) == 1


def test_saved_modules_are_switched_off_too(base: Path, tmp_path: Path, loads: list[str]) -> None:
    """A head that was tuned as a whole stands beside the base's, which is still there."""
    folder = tiny_adapter(tmp_path / "adapter", base, modules_to_save=["lm_head"], touch=double_saved_head)
    both = pair(folder)
    assert torch.equal(logits(both, "model"), tuned_alone(base, folder))
    assert torch.equal(logits(both, "baseline"), alone(base))
    assert len(loads) == 1


OTHER_METHODS = {
    "IA3": IA3Config(task_type="CAUSAL_LM", target_modules=["k_proj"], feedforward_modules=[], init_ia3_weights=False),
    "prefix tuning": PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3),
    "VB-LoRA": VBLoRAConfig(task_type="CAUSAL_LM", target_modules=["q_proj"], vector_length=4, num_vectors=8, topk=2),
}


@pytest.mark.parametrize("config", OTHER_METHODS.values(), ids=OTHER_METHODS.keys())
def test_other_methods_share_too(base: Path, tmp_path: Path, loads: list[str], config: PeftConfig) -> None:
    """LoRA is not the only adapter: each is what peft makes of it, and its base is the base."""
    get_peft_model(LlamaForCausalLM.from_pretrained(base), config).save_pretrained(str(tmp_path))
    both = pair(tmp_path)
    assert torch.equal(logits(both, "model"), tuned_alone(base, tmp_path))
    assert torch.equal(logits(both, "baseline"), alone(base))
    assert len(loads) == 1


def test_adapter_with_tuned_tokens(base: Path, tmp_path: Path, loads: list[str]) -> None:
    """Single embeddings that were tuned stand beside the base's."""
    folder = tiny_adapter(tmp_path / "adapter", base, trainable_token_indices=[40])
    both = pair(folder)
    assert torch.equal(logits(both, "model"), tuned_alone(base, folder))
    assert torch.equal(logits(both, "baseline"), alone(base))
    assert len(loads) == 1


@torch.no_grad()
def double_saved_head(adapted: PeftModel) -> None:
    """What training does to a head."""
    for name, parameter in adapted.named_parameters():
        if "modules_to_save" in name:
            parameter.mul_(2.0)


def test_a_pair_is_freed_without_torch_where_its_import_was_interrupted(
    adapter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind Ctrl-C in the middle of it a second import fails; nothing was loaded by then."""
    unasked = pair(adapter)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "torch", None)
        unasked.free()
