"""When two sides share one copy of the weights, and that each is then exactly itself."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import IA3Config, PeftConfig, PeftModel, PrefixTuningConfig, VBLoRAConfig, get_peft_model
from transformers import LlamaForCausalLM

from pytest_forgetting.answers.sides import SideName
from pytest_forgetting.errors import CannotAnswer
from pytest_forgetting.models.loading import LoadedPair, LoadOptions
from pytest_forgetting.models.references import LocalModel, resolve
from pytest_forgetting.models.resident import Resident
from tests.tiny_models import tiny_adapter, tiny_llama, tiny_tokenizer

IDS = torch.tensor([[1, 40, 50, 60]])
OPTIONS = LoadOptions(device="cpu")


def pair(model: Path, baseline: str = "base") -> LoadedPair:
    """`model` against `baseline`."""
    candidate = resolve(str(model))
    return LoadedPair({"baseline": resolve(baseline, candidate=candidate), "model": candidate}, OPTIONS)


def logits(pair: LoadedPair, side: SideName) -> torch.Tensor:
    """What one side says."""
    with pair.speaking(side) as loaded:
        said: torch.Tensor = loaded.model(input_ids=IDS).logits
        return said


def alone(folder: Path) -> torch.Tensor:
    """What a full checkpoint says when transformers loads it."""
    said: torch.Tensor = LlamaForCausalLM.from_pretrained(folder)(IDS).logits.detach()
    return said


def tuned_alone(base: Path, adapter: Path) -> torch.Tensor:
    """What an adapter says when peft loads it."""
    adapted = PeftModel.from_pretrained(LlamaForCausalLM.from_pretrained(base), str(adapter))
    said: torch.Tensor = adapted(IDS).logits.detach()
    return said


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The references whose weights are loaded from now on."""
    seen: list[str] = []
    load: Any = Resident.load.__func__  # type: ignore[attr-defined]

    def counted(cls: type[Resident], model: LocalModel, options: LoadOptions) -> Any:
        seen.append(model.ref)
        return load(cls, model, options)

    monkeypatch.setattr(Resident, "load", classmethod(counted))
    return seen


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


def test_two_full_checkpoints(base: Path, tmp_path: Path, loads: list[str]) -> None:
    """Different weights are loaded each by itself."""
    tuned = tiny_llama(tmp_path / "tuned", seed=1)
    both = pair(tuned, str(base))
    assert torch.equal(logits(both, "baseline"), alone(base))
    assert torch.equal(logits(both, "model"), alone(tuned))
    assert loads == [str(base), str(tuned)]


def test_two_adapters_are_never_stacked(base: Path, adapter: Path, tmp_path: Path, loads: list[str]) -> None:
    """Each stands on a base of its own."""
    other = tiny_adapter(tmp_path / "other", base, seed=1)
    both = pair(adapter, str(other))
    for _ in range(2):
        assert torch.equal(logits(both, "model"), tuned_alone(base, adapter))
        assert torch.equal(logits(both, "baseline"), tuned_alone(base, other))
    assert len(loads) == 2


def test_adapter_as_the_baseline_of_its_base(base: Path, adapter: Path, loads: list[str]) -> None:
    """Sharing does not depend on who is compared with whom."""
    both = pair(base, str(adapter))
    assert torch.equal(logits(both, "baseline"), tuned_alone(base, adapter))
    assert torch.equal(logits(both, "model"), alone(base))
    assert len(loads) == 1


@pytest.mark.parametrize("method", ["pissa", "olora"])
@pytest.mark.parametrize("order", [("baseline", "model"), ("model", "baseline")])
def test_adapter_that_changes_its_base(
    base: Path, tmp_path: Path, loads: list[str], method: str, order: tuple[SideName, SideName]
) -> None:
    """PiSSA and OLoRA take their weights out of the base, so the base is loaded by itself, and the report says so."""
    folder = tiny_adapter(tmp_path / method, base, init_lora_weights=method)
    both = pair(folder)
    said = {side: logits(both, side) for side in (*order, *order)}
    assert torch.equal(said["baseline"], alone(base))
    assert torch.allclose(said["model"], tuned_alone(base, folder), atol=1e-4)
    assert len(loads) == 2
    assert both.notes == [f"the adapter {folder} changes the weights below it; the baseline is loaded by itself"]


def test_adapter_with_biases(tmp_path: Path, loads: list[str]) -> None:
    """Biases that are tuned with an adapter stay when it is switched off."""
    base = tiny_llama(tmp_path / "base", attention_bias=True)
    folder = tiny_adapter(tmp_path / "adapter", base, bias="all", touch=shift_biases)
    both = pair(folder)
    logits(both, "model")
    assert torch.equal(logits(both, "baseline"), alone(base))
    assert len(loads) == 2


def test_adapter_with_more_tokens(base: Path, tmp_path: Path, loads: list[str]) -> None:
    """Embeddings grow by the adapter's new tokens; the base alone keeps its own."""
    folder = tiny_adapter(tmp_path / "adapter", base, modules_to_save=["embed_tokens", "lm_head"], rows=300)
    both = pair(folder)
    assert logits(both, "model").shape[-1] == 300
    assert torch.equal(logits(both, "baseline"), alone(base))
    assert len(loads) == 2


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


def test_adapter_on_other_weights_than_the_baseline(adapter: Path, base: Path, tmp_path: Path) -> None:
    """It is loaded on its own base, and the report says so."""
    other = tiny_llama(tmp_path / "other", seed=1)
    both = pair(adapter, str(other))
    assert torch.equal(logits(both, "model"), tuned_alone(base, adapter))
    assert torch.equal(logits(both, "baseline"), alone(other))
    assert both.notes == [f"the adapter {adapter} stands on other weights ({base}) than the baseline {other}"]


def test_half_an_adapter_is_no_model(base: Path, tmp_path: Path) -> None:
    """After an adapter that did not fit, the baseline is what it was."""
    folder = tiny_adapter(tmp_path / "adapter", tiny_llama(tmp_path / "deep", num_hidden_layers=3))
    text = (folder / "adapter_config.json").read_text()
    (folder / "adapter_config.json").write_text(text.replace(str(tmp_path / "deep"), str(base)))
    both = pair(folder)
    for _ in range(2):
        assert torch.equal(logits(both, "baseline"), alone(base))
        with pytest.raises(CannotAnswer, match="does not fit its base"):
            logits(both, "model")


def test_overwritten_while_in_use(tmp_path: Path) -> None:
    """Answers of new weights are never kept under the old weights' fingerprint."""
    found = resolve(str(tiny_llama(tmp_path / "ckpt")))
    _ = found.fingerprint
    tiny_llama(tmp_path / "ckpt", seed=1)
    with pytest.raises(CannotAnswer, match="was overwritten while it was in use"):
        logits(LoadedPair({"model": found}, OPTIONS), "model")


def test_models_that_do_not_fit_together_take_turns(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Out of memory for two is not out of memory for one."""
    tuned = tiny_llama(tmp_path / "tuned", seed=1)
    both, load = pair(tuned, str(base)), Resident.load

    def cramped(model: LocalModel, options: LoadOptions) -> Resident:
        if both._residents:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return load(model, options)

    monkeypatch.setattr(Resident, "load", cramped)
    for _ in range(2):
        assert torch.equal(logits(both, "baseline"), alone(base))
        assert torch.equal(logits(both, "model"), alone(tuned))
    assert both.notes == ["the two models do not fit into memory together; they are loaded in turns"]


@torch.no_grad()
def shift_biases(adapted: PeftModel) -> None:
    """What training does to biases."""
    for name, parameter in adapted.named_parameters():
        if name.endswith("q_proj.base_layer.bias"):
            parameter.add_(1.0)


@torch.no_grad()
def double_saved_head(adapted: PeftModel) -> None:
    """What training does to a head."""
    for name, parameter in adapted.named_parameters():
        if "modules_to_save" in name:
            parameter.mul_(2.0)
