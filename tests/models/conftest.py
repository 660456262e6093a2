"""Checkpoints that the tests of this room share, and no way to the Hub."""

from pathlib import Path

import huggingface_hub.constants
import pytest

from tests.tiny_models import tiny_adapter, tiny_llama


@pytest.fixture(autouse=True)
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The Hub is out of reach, and its cache is an empty folder of the test's own."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A full checkpoint; tests copy it before they change it."""
    return tiny_llama(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture(scope="session")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter on `base`, without a tokenizer."""
    return tiny_adapter(tmp_path_factory.mktemp("models") / "adapter", base)
