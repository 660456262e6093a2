"""Adapters that are zero, as their files tell."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from pytest_forgetting.models.zero_adapter import is_zero
from tests.models.edits import edit_json
from tests.tiny_models import tiny_adapter

NAME = "adapter_model.safetensors"


@pytest.fixture
def zero(base: Path, tmp_path: Path) -> Path:
    """An adapter as peft begins it: A is random and B is zero."""
    return tiny_adapter(tmp_path / "zero", base, randomise=False)


def test_an_adapter_as_it_begins(zero: Path) -> None:
    """It was saved before it was trained, or trained without effect."""
    assert is_zero(zero)


@pytest.mark.parametrize(
    "header",
    ["5", "[]", "[" * 100_000, '{"a.lora_A.weight": 5}', '{"a.lora_A.weight": {"data_offsets": [-9999, 5]}}'],
    ids=["number", "list", "deep", "no tensor", "before the file"],
)
def test_a_damaged_header_says_nothing(zero: Path, header: str) -> None:
    """Loading the adapter tells what is wrong with it."""
    (zero / NAME).write_bytes(len(header).to_bytes(8, "little") + header.encode())
    assert not is_zero(zero)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_zeros_of_other_types(zero: Path, dtype: torch.dtype) -> None:
    """Zero is zero in every precision."""
    save_file({name: tensor.to(dtype) for name, tensor in load_file(zero / NAME).items()}, zero / NAME)
    assert is_zero(zero)


def test_a_trained_adapter(adapter: Path) -> None:
    """Neither of its matrices is zero."""
    assert not is_zero(adapter)


def test_one_number_is_enough(zero: Path) -> None:
    """The last number of the last matrix changes the model."""
    tensors = load_file(zero / NAME)
    last = [name for name in tensors if "lora_B" in name][-1]
    tensors[last][-1, -1] = 1e-30
    save_file(tensors, zero / NAME)
    assert not is_zero(zero)


def test_either_of_a_pair_will_do(adapter: Path, tuned: Path) -> None:
    """A product is zero if A is, too."""
    tensors = load_file(tuned / NAME)
    for name in tensors:
        if "lora_A" in name:
            tensors[name].zero_()
    save_file(tensors, tuned / NAME)
    assert is_zero(tuned)


@pytest.mark.parametrize(
    "changes",
    [
        {"peft_type": "IA3"},
        {"use_dora": True},
        {"init_lora_weights": "pissa"},
        {"bias": "all"},
        {"layer_replication": [[0, 2]]},
    ],
)
def test_kinds_that_change_the_base_otherwise(zero: Path, changes: dict[str, object]) -> None:
    """Of those zero matrices tell nothing."""
    edit_json(zero / "adapter_config.json", **changes)
    assert not is_zero(zero)


def test_whole_layers_beside_the_matrices(base: Path, tmp_path: Path) -> None:
    """A layer that was trained as a whole may differ from the base's."""
    folder = tiny_adapter(tmp_path / "adapter", base, randomise=False, modules_to_save=["lm_head"])
    edit_json(folder / "adapter_config.json", modules_to_save=None)
    assert not is_zero(folder)


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, b"\x10\0\0\0\0\0\0\0{not json", b"\x02\0\0\0\0\0\0\0{}"])
def test_files_that_cannot_be_read(zero: Path, content: bytes) -> None:
    """Loading tells what is wrong with them."""
    (zero / NAME).write_bytes(content)
    assert not is_zero(zero)
