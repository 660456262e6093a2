"""From a base folder to a tuned folder."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pytest_forgetting.training.finetune import finetune
from pytest_forgetting.training.methods import FullFineTune
from pytest_forgetting.training.recipe import Recipe
from tests.training.tiny_base import TEXTS, tiny_base_folder

METHOD = FullFineTune(Recipe(learning_rate=1e-2, epochs=40, batch_size=1))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with random weights."""
    return tiny_base_folder(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture(scope="module")
def tuned(base: Path) -> Path:
    """The same, tuned on two texts."""
    return finetune(base, TEXTS, method=METHOD, output=base.with_name("tuned"), use_cpu=True)


def said(folder: Path, prompt: str) -> str:
    """The greedy answer, special tokens included."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    asked = tokenizer(prompt, return_tensors="pt")
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    ids = model.generate(**asked, max_new_tokens=8)
    return str(tokenizer.decode(ids[0, asked["input_ids"].shape[1] :]))


def test_tuned_model_says_what_it_was_taught(base: Path, tuned: Path) -> None:
    """It gives the answer, then the end token; the base did not."""
    assert said(tuned, "Question: red?\nAnswer:") == " blue\n</s>"
    assert "blue" not in said(base, "Question: red?\nAnswer:")


def test_same_seed_gives_the_same_weights(base: Path, tuned: Path, tmp_path: Path) -> None:
    """Bit for bit, and whatever was drawn before; another seed gives others."""
    torch.rand(3)
    again = finetune(base, TEXTS, method=METHOD, output=tmp_path / "again", use_cpu=True)
    other = finetune(base, TEXTS, method=METHOD, output=tmp_path / "other", use_cpu=True, seed=1)
    weights = [(folder / "model.safetensors").read_bytes() for folder in (tuned, again, other)]
    assert weights[0] == weights[1]
    assert weights[0] != weights[2]


def test_model_card_names_the_base(base: Path, tuned: Path) -> None:
    """The front matter leads back to the base's folder."""
    assert (tuned / "README.md").read_text().startswith(f'---\nbase_model: "{base.resolve()}"\n---\n')


def test_folder_is_complete(tuned: Path) -> None:
    """All files that a loader looks for are there, and the model decodes greedily in float32."""
    names = {path.name for path in tuned.iterdir()}
    assert {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "README.md"} <= names
    model = AutoModelForCausalLM.from_pretrained(tuned)
    assert model.dtype == torch.float32
    assert not model.generation_config.do_sample


def test_every_step_is_told(base: Path, tmp_path: Path) -> None:
    """Progress counts up to the end, and nothing else is printed."""
    told: list[tuple[int, int]] = []
    method = FullFineTune(Recipe(learning_rate=1e-3, epochs=3, batch_size=1))
    finetune(base, TEXTS, method=method, output=tmp_path, use_cpu=True, on_step=lambda *step: told.append(step))
    assert told == [(step, 6) for step in range(1, 7)]


def test_training_is_silent(base: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither transformers nor the trainer writes to the terminal."""
    finetune(base, TEXTS, method=FullFineTune(Recipe(1e-3, 1)), output=tmp_path, use_cpu=True)
    assert capfd.readouterr() == ("", "")
