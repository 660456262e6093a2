"""Model files that are overwritten while a run is at work."""

from pathlib import Path
from shutil import copyfile

import pytest
import torch
from safetensors.torch import load_file

from pytest_forgetting.errors import CannotAnswer
from pytest_forgetting.models.loading import LoadedPair, LoadOptions
from pytest_forgetting.models.references import resolve
from tests.tiny_models import tiny_adapter, tiny_llama, tiny_tokenizer


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A model."""
    return tiny_llama(tmp_path / "base", seed=1)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "tokenizer_config.json", "config.json"])
def test_a_file_overwritten_before_loading_is_noticed(base: Path, tmp_path: Path, name: str) -> None:
    """Between fingerprint and loading: nothing speaks under the wrong fingerprint."""
    other = tiny_llama(tmp_path / "other", seed=2)
    model = resolve(str(base))
    assert model.fingerprint
    whole = (other / name).read_bytes()
    changed = whole.replace(b"{", b'{"changed": 1,', 1) if name.endswith("config.json") else whole + b" "
    (base / name).write_bytes(whole if name.endswith(".safetensors") else changed)
    pair = LoadedPair({"model": model}, LoadOptions(device="cpu"))
    with pytest.raises(CannotAnswer), pair.speaking("model"):
        pass


def test_a_tokenizer_overwritten_after_the_weights_were_loaded_is_noticed(base: Path, tmp_path: Path) -> None:
    """The base of an adapter in memory has a tokenizer of its own, which is read when it first speaks."""
    adapter = tiny_adapter(tmp_path / "adapter", base)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        copyfile(base / name, adapter / name)
    model, baseline = resolve(str(adapter)), resolve(str(base))
    assert model.fingerprint != baseline.fingerprint
    pair = LoadedPair({"model": model, "baseline": baseline}, LoadOptions(device="cpu"))
    with pair.speaking("model"):
        pass
    larger = tiny_tokenizer()
    larger.add_tokens(["number"])
    larger.save_pretrained(base)
    with pytest.raises(CannotAnswer, match="was overwritten while it was in use"), pair.speaking("baseline"):
        pass


@pytest.mark.parametrize(
    "file", ["base/model.safetensors", "base/pytorch_model.bin", "adapter/adapter_model.safetensors"]
)
@pytest.mark.parametrize("how", ["in place", "shortened"])
def test_weights_overwritten_after_loading_change_no_answer(base: Path, tmp_path: Path, file: str, how: str) -> None:
    """What was loaded is a copy of the file: a training that saves over it in place changes nothing in memory."""
    adapter = tiny_adapter(tmp_path / "adapter", base)
    if file.endswith(".bin"):
        torch.save(load_file(base / "model.safetensors"), tmp_path / file)
        (base / "model.safetensors").unlink()
    model = resolve(str(adapter if file.startswith("adapter") else base), allow_pickle=True)
    pair = LoadedPair({"model": model}, LoadOptions(device="cpu"))
    with pair.speaking("model") as loaded:
        before = sums(loaded.model)
        with (tmp_path / file).open("r+b") as weights:
            size = len(weights.read())
            weights.seek(0)
            weights.truncate(size // 2 if how == "shortened" else size)
            weights.write(b"\x01" * (size // 2))
        assert sums(loaded.model) == before


def sums(model: torch.nn.Module) -> dict[str, float]:
    """Of all its weights."""
    return {name: float(each.double().sum()) for name, each in model.named_parameters()}
