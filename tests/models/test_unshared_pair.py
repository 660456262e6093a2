"""When two sides are loaded each by itself, and what is said about it."""

from pathlib import Path

import pytest
import torch
from peft import PeftModel

from pytest_forgetting.answers.sides import SideName
from pytest_forgetting.errors import CannotAnswer
from pytest_forgetting.models.loading import LoadedPair, LoadOptions
from pytest_forgetting.models.references import LocalModel, resolve
from pytest_forgetting.models.resident import Resident
from tests.models.asking import OPTIONS, alone, logits, pair, tuned_alone
from tests.tiny_models import tiny_adapter, tiny_llama


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


def test_adapter_on_other_weights_than_the_baseline(adapter: Path, base: Path, tmp_path: Path) -> None:
    """It is loaded on its own base."""
    other = tiny_llama(tmp_path / "other", seed=1)
    both = pair(adapter, str(other))
    assert torch.equal(logits(both, "model"), tuned_alone(base, adapter))
    assert torch.equal(logits(both, "baseline"), alone(other))


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
        assert both._residents == []  # nor does it stay in memory


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
