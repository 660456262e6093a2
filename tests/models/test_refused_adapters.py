"""Adapters that do not fit their base are told, where peft would drop or invent weights."""

import os
from pathlib import Path

from safetensors.torch import load_file, save_file

from tests.models.edits import edit_json
from tests.models.refusals import unloadable
from tests.tiny_models import tiny_adapter, tiny_llama


def test_adapter_of_a_deeper_base_is_refused(base: Path, tmp_path: Path) -> None:
    """peft would drop what it has no layer for and say nothing."""
    deep = tiny_llama(tmp_path / "deep", num_hidden_layers=3)
    folder = tiny_adapter(tmp_path / "adapter", deep)
    edit_json(folder / "adapter_config.json", base_model_name_or_path=str(base))
    message = unloadable(folder)
    assert f"the adapter does not fit its base {base}" in message
    assert "layers.2.self_attn" in message
    assert message.endswith("which the base does not have")


def test_adapter_that_lacks_weights_is_refused(tuned: Path) -> None:
    """Half an adapter would be filled up with fresh weights."""
    weights = load_file(tuned / "adapter_model.safetensors")
    weights.popitem()
    save_file(weights, tuned / "adapter_model.safetensors", metadata={"format": "pt"})
    assert "does not fit its base" in unloadable(tuned)
    assert "it lacks weights for base_model" in unloadable(tuned)


def test_adapter_of_a_wider_base_is_refused(base: Path, tmp_path: Path) -> None:
    """Shapes that differ are told."""
    folder = tiny_adapter(tmp_path / "adapter", tiny_llama(tmp_path / "wide", hidden_size=32))
    edit_json(folder / "adapter_config.json", base_model_name_or_path=str(base))
    assert "does not fit its base" in unloadable(folder)
    assert "size mismatch" in unloadable(folder)


def test_adapter_of_another_architecture_is_refused(tuned: Path) -> None:
    """Modules that the base does not have are told."""
    edit_json(tuned / "adapter_config.json", target_modules=["c_attn"])
    assert "does not fit its base" in unloadable(tuned)
    assert "c_attn" in unloadable(tuned)


def test_adapter_for_another_task_is_refused(tuned: Path) -> None:
    """A classifier's adapter does not answer."""
    edit_json(tuned / "adapter_config.json", task_type="SEQ_CLS")
    assert "the adapter is for the task SEQ_CLS, not for CAUSAL_LM" in unloadable(tuned)


def test_broken_adapter_is_refused(tuned: Path) -> None:
    """A config that peft does not understand is told with its folder."""
    edit_json(tuned / "adapter_config.json", peft_type="TOMORROW")
    assert f"the adapter in {tuned} does not load" in unloadable(tuned)


def test_truncated_adapter_is_refused(tuned: Path) -> None:
    """An adapter that was cut off is told with its file."""
    os.truncate(tuned / "adapter_model.safetensors", 1000)
    assert "adapter_model.safetensors is truncated or no safetensors file" in unloadable(tuned)
