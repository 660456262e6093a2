"""Tuned models kept on the disk: what makes two of them the same, and that each is trained once."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.training import EWC, FullFineTune, LoRA, Recipe, cached
from pytest_forgetting.training.cached import finetuned
from pytest_forgetting.training.tuned import MANIFEST
from tests.training.tiny_base import TEXTS, tiny_base_folder

BRIEF = Recipe(learning_rate=1e-2, epochs=1, batch_size=1)
METHOD = FullFineTune(BRIEF)


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny model, and an empty cache."""
    monkeypatch.setenv("PYTEST_FORGETTING_CACHE", str(tmp_path / "cache"))
    return tiny_base_folder(tmp_path / "base")


def kept(tmp_path: Path) -> list[str]:
    """Tuned models in the cache."""
    return [path.name for path in (tmp_path / "cache/finetuned").iterdir() if path.is_dir()]


def test_the_second_call_reads_what_the_first_made(base: Path) -> None:
    """Losses, manifest and weights alike."""
    first = finetuned(METHOD, base=base, data=TEXTS, use_cpu=True)
    written = (first.path / "model.safetensors").stat().st_mtime_ns
    assert finetuned(METHOD, base=base, data=list(TEXTS), use_cpu=True) == first
    assert (first.path / "model.safetensors").stat().st_mtime_ns == written
    assert first.losses[-1].step == 2
    assert first.manifest["method"]["name"] == "FullFineTune"


@pytest.mark.parametrize(
    "changed",
    [
        {"method": FullFineTune(Recipe(learning_rate=2e-2, epochs=1, batch_size=1))},
        {"method": FullFineTune(BRIEF, l2_sp=1.0)},
        {"method": EWC(METHOD, general=TEXTS)},
        {"data": TEXTS[:1]},
        {"seed": 1},
        {"max_length": 8},
    ],
    ids=["recipe", "setting", "method", "data", "seed", "length"],
)
def test_anything_that_decides_the_weights_makes_another(base: Path, tmp_path: Path, changed: dict[str, Any]) -> None:
    """No model ever stands for another training."""
    finetuned(METHOD, base=base, data=TEXTS, use_cpu=True)
    finetuned(**{"method": METHOD, "base": base, "data": TEXTS, "use_cpu": True, **changed})
    assert len(kept(tmp_path)) == 2


def test_settings_are_handed_on(base: Path) -> None:
    """What the key tells of is what was trained."""
    tuned = finetuned(METHOD, base=base, data=TEXTS, use_cpu=True, seed=5)
    assert tuned.manifest["seed"] == 5


def test_another_library_or_edition_makes_another(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both decide what comes out of a training."""
    finetuned(METHOD, base=base, data=TEXTS, use_cpu=True)
    monkeypatch.setattr(cached, "EDITION", cached.EDITION + 1)
    finetuned(METHOD, base=base, data=TEXTS, use_cpu=True)
    monkeypatch.setattr(cached, "versions", lambda: {"torch": "99"})
    finetuned(METHOD, base=base, data=TEXTS, use_cpu=True)
    assert len(kept(tmp_path)) == 3


def test_an_overwritten_base_is_another(base: Path, tmp_path: Path) -> None:
    """What counts is its weights."""
    other = finetuned(METHOD, base=base, data=TEXTS, use_cpu=True).path / "model.safetensors"
    shutil.copyfile(other, base / "model.safetensors")
    finetuned(METHOD, base=base, data=TEXTS, use_cpu=True)
    assert len(kept(tmp_path)) == 2


def test_an_adapter_of_a_base_that_moved_is_made_anew(base: Path, tmp_path: Path) -> None:
    """An adapter names its base by its path, so that of a copy elsewhere would be of no use."""
    method = LoRA(BRIEF, rank=2)
    finetuned(method, base=base, data=TEXTS, use_cpu=True)
    moved = base.rename(tmp_path / "moved")
    again = finetuned(method, base=moved, data=TEXTS, use_cpu=True)
    assert str(moved) in (again.path / "adapter_config.json").read_text()
    assert len(kept(tmp_path)) == 2


def test_cleared_weights_are_made_anew(base: Path) -> None:
    """A folder without them is not whole."""
    tuned = finetuned(METHOD, base=base, data=TEXTS, use_cpu=True)
    (tuned.path / "model.safetensors").unlink()
    assert (finetuned(METHOD, base=base, data=TEXTS, use_cpu=True).path / "model.safetensors").is_file()


def test_a_training_that_fails_leaves_nothing(base: Path, tmp_path: Path) -> None:
    """Data that cannot be learned from is told before anything is kept."""
    with pytest.raises(WrongUsage, match="no training data"):
        finetuned(METHOD, base=base, data=[], use_cpu=True)
    with pytest.raises(ValueError, match="nowhere"):
        finetuned(LoRA(BRIEF, targets=("nowhere",)), base=base, data=TEXTS, use_cpu=True)
    assert kept(tmp_path) == []


def test_finding_needs_no_torch(base: Path, tmp_path: Path) -> None:
    """A second run of somebody's tests costs no import of torch."""
    tuned = finetuned(METHOD, base=base, data=TEXTS, use_cpu=True)
    code = f"""
import sys
from pytest_forgetting.training import FullFineTune, Recipe
from pytest_forgetting.training.cached import finetuned
method = FullFineTune(Recipe(learning_rate=1e-2, epochs=1, batch_size=1))
tuned = finetuned(method, base={str(base)!r}, data={TEXTS!r}, use_cpu=True)
print(tuned, {{"torch", "transformers"}} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{tuned} set()\n"
    assert (tuned.path / MANIFEST).is_file()
