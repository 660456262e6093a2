"""The training behind each demo model; what is heavy is imported from here on."""

from __future__ import annotations

from pathlib import Path

from pytest_forgetting.demo.base import make_base
from pytest_forgetting.demo.facts import domain_texts
from pytest_forgetting.demo.recipes import METHODS
from pytest_forgetting.training.reproducible import single_threaded
from pytest_forgetting.training.steps import OnStep, silent
from pytest_forgetting.training.tuning import finetune


@single_threaded()
def make(name: str, base: Path | None, folder: Path, seed: int, on_step: OnStep = silent) -> None:
    """Train demo:`name` into `folder`; `base` is the base's folder, None for the base itself."""
    if base is None:
        make_base(folder, seed, on_step)
    else:
        finetune(
            base, domain_texts(), method=METHODS[name], output_dir=folder, seed=seed, use_cpu=True, on_step=on_step
        )
