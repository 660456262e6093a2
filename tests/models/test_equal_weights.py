"""Checkpoints with the same weights, whatever else lies beside them."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pytest_forgetting.models.equal_weights import have_equal_weights

TENSORS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(4, dtype=torch.bfloat16)}


def saved(path: Path, **changed: torch.Tensor) -> Path:
    """`TENSORS` in a file, some of them changed."""
    save_file({**TENSORS, **changed}, path, metadata={"format": "pt", "of": path.name})
    return path


def test_one_file_or_several(tmp_path: Path) -> None:
    """How tensors are parted among files, and what files say of themselves, is none of their values."""
    parts = []
    for name, tensor in TENSORS.items():
        save_file({name: tensor}, parts_of := tmp_path / f"{name}.safetensors")
        parts.append(parts_of)
    assert have_equal_weights([saved(tmp_path / "one.safetensors")], parts)


@pytest.mark.parametrize(
    "changed",
    [
        {"b": torch.tensor([1, 1, 1, 1.0078125], dtype=torch.bfloat16)},
        {"a": TENSORS["a"].reshape(3, 2)},
        {"b": torch.ones(4, dtype=torch.float16)},
        {"c": torch.ones(1)},
    ],
    ids=["last bit", "shape", "type", "one more"],
)
def test_any_difference_is_one(tmp_path: Path, changed: dict[str, torch.Tensor]) -> None:
    """The last bit of the last value too."""
    one, other = saved(tmp_path / "one.safetensors"), saved(tmp_path / "other.safetensors", **changed)
    assert not have_equal_weights([one], [other])


@pytest.mark.parametrize("content", [b"", b"\xff" * 20, b"\2\0\0\0\0\0\0\0[]", b"\2\0\0\0\0\0\0\0{}"])
def test_what_is_no_such_file_is_equal_to_nothing(tmp_path: Path, content: bytes) -> None:
    """Not to itself either, and without a traceback."""
    (tmp_path / "bad.safetensors").write_bytes(content)
    assert not have_equal_weights([tmp_path / "bad.safetensors"], [tmp_path / "bad.safetensors"])


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    """Whether they are the same cannot be told."""
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    assert not have_equal_weights([tmp_path / "pytorch_model.bin"], [tmp_path / "pytorch_model.bin"])
