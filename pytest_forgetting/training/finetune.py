"""From a base model to a tuned one, by one of the methods."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from transformers import AutoModelForCausalLM, AutoTokenizer

from pytest_forgetting.training.fit import fit
from pytest_forgetting.training.methods import Method
from pytest_forgetting.training.reproducible import reproducible
from pytest_forgetting.training.saving import quiet, save
from pytest_forgetting.training.steps import OnStep, silent


def finetune(
    base: Path,
    texts: Sequence[str],
    *,
    method: Method,
    output: Path,
    seed: int = 0,
    use_cpu: bool = False,
    on_step: OnStep = silent,
) -> Path:
    """Tune the model in the folder `base` on `texts`, and write it into the folder `output`.

    The same seed on the same machine gives the same weights. The model card in `output` names `base`, so that
    ``--baseline base`` finds it.

    Returns:
        `output`.
    """
    with quiet():
        tokenizer = AutoTokenizer.from_pretrained(base)
        model = AutoModelForCausalLM.from_pretrained(base, dtype="float32")
    with reproducible(seed):
        passes = method.passes(model, tokenizer, texts, on_step)
        fit(model, tokenizer, passes, method.recipe, seed=seed, use_cpu=use_cpu, on_step=on_step)
    save(model, tokenizer, output, base=base)
    return output
