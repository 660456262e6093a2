"""From a base model to a tuned one, by one of the methods."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.models.references import resolve
from pytest_forgetting.training.ewc import KEPT
from pytest_forgetting.training.examples import Example, digest, read_examples
from pytest_forgetting.training.fit import Loss, fit
from pytest_forgetting.training.full import FullFineTune
from pytest_forgetting.training.method import Method, Passes
from pytest_forgetting.training.recipe import Recipe
from pytest_forgetting.training.reproducible import reproducible
from pytest_forgetting.training.rows import context, cut_at
from pytest_forgetting.training.saving import quiet, save
from pytest_forgetting.training.steps import OnStep, silent

MANIFEST = "training.json"
LIBRARIES = ("torch", "transformers", "peft", "pytest-forgetting")


@dataclass(frozen=True)
class FineTuned:
    """What `finetune` made; may be used wherever a path is wanted."""

    path: Path
    """The checkpoint's or adapter's folder, ready for ``--model``."""
    losses: Sequence[Loss]
    manifest: dict[str, Any]
    """How it was made; the same stands in `path`/training.json."""

    def __fspath__(self) -> str:
        """The folder."""
        return str(self.path)

    def __str__(self) -> str:
        """The folder, as a reference for ``--model``."""
        return str(self.path)


def finetune(
    base: str | Path,
    dataset: Any,
    *,
    method: Method | None = None,
    output_dir: str | Path,
    seed: int = 0,
    max_length: int | None = None,
    use_cpu: bool = False,
    on_step: OnStep = silent,
) -> FineTuned:
    """Tune `base` on `dataset`, and write the outcome into the folder `output_dir`.

    The same seed on the same machine gives the same weights. The model card in `output_dir` names the base, so that
    ``--baseline base`` finds it; an adapter's configuration does so too.

    Args:
        base: a folder, a Hub id, or ``demo:base``; a full checkpoint.
        dataset: in any form that `read_examples` takes.
        method: how; by default `FullFineTune()` with the recipe `SAFE`.
        output_dir: made where it is missing.
        seed: of everything that is drawn.
        max_length: tokens at which examples are cut, with a warning; by default what the base can read at once.
        use_cpu: train there even where there is a GPU.
        on_step: told of each step.

    Raises:
        WrongUsage: the base names nothing or is an adapter, or the data cannot be learned from.
        CannotAnswer: the base cannot be read.
    """
    method = FullFineTune() if method is None else method
    examples = read_examples(dataset)
    found = resolve(str(base))
    if found.adapter is not None:
        raise WrongUsage(f"{base} is an adapter; merge it into its base first, or tune the base")
    folder, output = found.weights, Path(output_dir)
    with quiet():
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = AutoModelForCausalLM.from_pretrained(folder, **method.loading())
    with reproducible(seed), cut_at(tokenizer, context(model, max_length)):
        passes = method.passes(model, tokenizer, examples, on_step)
        trained = method.adapt(model)
        penalty = method.penalty(trained, tokenizer, on_step)
        losses = fit(
            trained,
            tokenizer,
            passes,
            method.recipe,
            seed=seed,
            use_cpu=use_cpu,
            on_step=on_step,
            penalty=penalty,
        )
    manifest = {
        "method": described(method),
        "base": {"ref": str(base), "fingerprint": found.fingerprint},
        "data": _told(examples, passes),
        "parameters": _parameters(trained),
        "seed": seed,
        "versions": {library: version(library) for library in LIBRARIES},
    }
    save(trained, tokenizer, output, base=folder)
    if penalty is not None and penalty.kept:
        (output / KEPT).parent.mkdir(exist_ok=True)
        save_file({name: each.cpu().contiguous() for name, each in penalty.kept.items()}, output / KEPT)
    told = {**manifest, "losses": [loss._asdict() for loss in losses]}
    (output / MANIFEST).write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return FineTuned(output, losses, manifest)


def described(method: Method) -> dict[str, Any]:
    """The method with its settings, for manifests and cache keys; of data that it holds, the hash."""
    settings: dict[str, Any] = {"name": type(method).__name__}
    for each in fields(method):  # type: ignore[arg-type]
        value = getattr(method, each.name)
        if each.name == "general":
            value = None if value is None else digest(value)
        elif each.name == "of":
            value = described(value)
        elif isinstance(value, Recipe):
            value = asdict(value)
        settings[each.name] = list(value) if isinstance(value, tuple) else value
    return settings


def _told(examples: Sequence[Example], passes: Passes) -> dict[str, Any]:
    return {
        "rows": len(examples),
        "sha256": digest(examples),
        "rows_trained": dict(sorted(Counter(example.source for each in passes for example in each).items())),
        "sha256_trained": digest([example for each in passes for example in each]),
    }


def _parameters(model: Any) -> dict[str, int]:
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    return {"all": sum(n for n, _ in sizes), "trainable": sum(n for n, trained in sizes if trained)}
