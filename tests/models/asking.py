"""Letting one side of a pair speak, and what it should say."""

from pathlib import Path

import torch
from peft import PeftModel
from transformers import LlamaForCausalLM

from pytest_forgetting.answers.sides import SideName
from pytest_forgetting.models.loading import LoadedPair, LoadOptions
from pytest_forgetting.models.references import resolve

IDS = torch.tensor([[1, 40, 50, 60]])
OPTIONS = LoadOptions(device="cpu")


def alone_pair(folder: Path, **options: object) -> LoadedPair:
    """The checkpoint in `folder` as the model under test, without a baseline."""
    chosen = LoadOptions(**{"device": "cpu", **options})  # type: ignore[arg-type]  # options of several types
    return LoadedPair({"model": resolve(str(folder), allow_pickle=chosen.allow_pickle)}, chosen)


def pair(model: Path, baseline: str = "base") -> LoadedPair:
    """`model` against `baseline`."""
    candidate = resolve(str(model))
    return LoadedPair({"baseline": resolve(baseline, candidate=candidate), "model": candidate}, OPTIONS)


def logits(pair: LoadedPair, side: SideName) -> torch.Tensor:
    """What one side says."""
    with pair.speaking(side) as loaded:
        said: torch.Tensor = loaded.model(input_ids=IDS).logits
        return said


def alone(folder: Path) -> torch.Tensor:
    """What a full checkpoint says when transformers loads it."""
    said: torch.Tensor = LlamaForCausalLM.from_pretrained(folder)(IDS).logits.detach()
    return said


def tuned_alone(base: Path, adapter: Path) -> torch.Tensor:
    """What an adapter says when peft loads it."""
    adapted = PeftModel.from_pretrained(LlamaForCausalLM.from_pretrained(base), str(adapter))
    said: torch.Tensor = adapted(IDS).logits.detach()
    return said
