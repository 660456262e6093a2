"""Checkpoints that the tests of this room share, and no way to the Hub."""

import shutil
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest

from pytest_forgetting.models.load_options import LoadOptions
from pytest_forgetting.models.references import LocalModel
from pytest_forgetting.models.resident import Resident
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


@pytest.fixture
def ckpt(base: Path, tmp_path: Path) -> Path:
    """A full checkpoint to be damaged."""
    return shutil.copytree(base, tmp_path / "ckpt")


@pytest.fixture
def tuned(adapter: Path, tmp_path: Path) -> Path:
    """An adapter to be damaged."""
    return shutil.copytree(adapter, tmp_path / "tuned")


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The references whose weights are loaded from now on."""
    seen: list[str] = []
    load: Any = Resident.load.__func__  # type: ignore[attr-defined]  # a class method's function

    def counted(cls: type[Resident], model: LocalModel, options: LoadOptions) -> Any:
        seen.append(model.ref)
        return load(cls, model, options)

    monkeypatch.setattr(Resident, "load", classmethod(counted))
    return seen
