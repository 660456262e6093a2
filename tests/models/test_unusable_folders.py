"""What is said about a folder that holds no model that could be loaded."""

import os
import shutil
from pathlib import Path

import pytest

from pytest_forgetting.errors import CannotAnswer
from pytest_forgetting.models.references import resolve
from tests.models.edits import copied, edit_json
from tests.models.refusals import refused


def test_folder_without_config(tmp_path: Path) -> None:
    """An empty folder is no model."""
    assert f"there is no config.json (nor adapter_config.json) in {tmp_path}" in refused(str(tmp_path))


def test_folder_with_bottomless_json(base: Path, tmp_path: Path) -> None:
    """A list in a list in a list, and so on, is told in one line like any other damage."""
    folder = copied(base, tmp_path / "ckpt")
    (folder / "config.json").write_text("[" * 100_000)
    with pytest.raises(CannotAnswer, match=r"config\.json cannot be read: maximum recursion depth exceeded"):
        _ = resolve(str(folder)).fingerprint


def test_folder_of_checkpoints(base: Path, tmp_path: Path) -> None:
    """Who names the folder above is told what lies in it."""
    copied(base, tmp_path / "checkpoint-100")
    assert refused(str(tmp_path)).endswith("there are models in its folders checkpoint-100")


def test_folder_without_weights(base: Path, tmp_path: Path) -> None:
    """A config alone answers nothing."""
    folder = copied(base, tmp_path / "ckpt", without="model.safetensors")
    assert "there are no weights (model.safetensors) in" in refused(str(folder))
    (folder / "model.gguf").write_text("")
    assert "GGUF files are not supported" in refused(str(folder))


def test_pickled_weights(base: Path, tmp_path: Path) -> None:
    """Weights that may run code are taken only from who says so."""
    folder = copied(base, tmp_path / "ckpt", without="model.safetensors")
    (folder / "pytorch_model.bin").write_bytes(b"0" * 4000)
    message = refused(str(folder))
    assert "safetensors" in message
    assert "--forgetting-allow-pickle" in message
    assert resolve(str(folder), allow_pickle=True).parameters == 1000


def test_pickled_adapter(adapter: Path, tmp_path: Path) -> None:
    """The same for an adapter."""
    folder = copied(adapter, tmp_path / "adapter", without="adapter_model.safetensors")
    (folder / "adapter_model.bin").write_bytes(b"0")
    assert "adapter_model.bin, in pickle format" in refused(str(folder))
    assert resolve(str(folder), allow_pickle=True).adapter == folder


def test_adapter_without_weights(adapter: Path, tmp_path: Path) -> None:
    """A config alone adapts nothing."""
    folder = copied(adapter, tmp_path / "adapter", without="adapter_model.safetensors")
    assert "there are no adapter weights (adapter_model.safetensors)" in refused(str(folder))


def test_adapter_without_base(adapter: Path, tmp_path: Path) -> None:
    """An adapter that names no base cannot be loaded."""
    folder = copied(adapter, tmp_path / "adapter")
    edit_json(folder / "adapter_config.json", base_model_name_or_path=None)
    assert "does not name its base (base_model_name_or_path in adapter_config.json)" in refused(str(folder))


def test_adapter_whose_base_is_gone(adapter: Path, tmp_path: Path) -> None:
    """The path that the adapter records may have been another machine's."""
    folder = copied(adapter, tmp_path / "adapter")
    edit_json(folder / "adapter_config.json", base_model_name_or_path="/their/base")
    assert "the adapter's base '/their/base' cannot be found: /their/base: no such folder" in refused(str(folder))


def test_adapter_on_an_adapter(adapter: Path, tmp_path: Path) -> None:
    """Adapters are never stacked."""
    folder = copied(adapter, tmp_path / "adapter")
    edit_json(folder / "adapter_config.json", base_model_name_or_path=str(adapter))
    assert "is itself an adapter; merge that one into its base first" in refused(str(folder))


def test_adapter_beside_full_weights(base: Path, adapter: Path, tmp_path: Path) -> None:
    """Merged weights saved over their adapter could be meant either way, and would be tuned twice."""
    folder = copied(base, tmp_path / "both")
    shutil.copytree(adapter, folder, dirs_exist_ok=True)
    assert "holds both a full checkpoint and adapter_config.json" in refused(str(folder))


def test_broken_base_of_an_adapter_is_blamed_on_the_base(adapter: Path, tmp_path: Path) -> None:
    """What is wrong with the base is not said of the adapter."""
    folder = copied(adapter, tmp_path / "adapter")
    (tmp_path / "empty").mkdir()
    edit_json(folder / "adapter_config.json", base_model_name_or_path="../empty")
    assert "the adapter's base '../empty': there is no config.json" in refused(str(folder))


@pytest.mark.parametrize("content", ["{", "[]", "\udcff"])
def test_broken_config(base: Path, tmp_path: Path, content: str) -> None:
    """A config that is no JSON object is told with its path."""
    folder = copied(base, tmp_path / "ckpt")
    (folder / "config.json").write_text(content, errors="surrogateescape")
    assert str(folder / "config.json") in refused(str(folder), CannotAnswer)


@pytest.mark.parametrize("size", [0, 7, 100, 20_000])
def test_truncated_weights(base: Path, tmp_path: Path, size: int) -> None:
    """A copy that was cut off is noticed before anything is loaded."""
    folder = copied(base, tmp_path / "ckpt")
    os.truncate(folder / "model.safetensors", size)
    with pytest.raises(CannotAnswer, match=r"model\.safetensors is truncated or no safetensors file"):
        _ = resolve(str(folder)).parameters


def test_git_lfs_pointer(base: Path, tmp_path: Path) -> None:
    """A clone without Git LFS has pointers for weights."""
    folder = copied(base, tmp_path / "ckpt")
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(CannotAnswer, match="git lfs pull"):
        _ = resolve(str(folder)).parameters
