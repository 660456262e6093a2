"""From a base model to a tuned one, by one of the methods."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from safetensors.torch import save_file

from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.made_once import written_whole
from pytest_forgetting.training.base import find_base, load_base
from pytest_forgetting.training.ewc import KEPT
from pytest_forgetting.training.examples import Example, digest, read_examples
from pytest_forgetting.training.fit import fit, training_device
from pytest_forgetting.training.full import FullFineTune
from pytest_forgetting.training.method import Method, Passes, Penalty, described
from pytest_forgetting.training.reproducible import reproducible
from pytest_forgetting.training.rows import context, cut_at, padding
from pytest_forgetting.training.saving import quiet, save
from pytest_forgetting.training.steps import OnStep, silent
from pytest_forgetting.training.tuned import FineTuned, Loss, versions

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from pytest_forgetting.models.local_model import LocalModel


def finetune(
    base: str | os.PathLike[str],
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
        output_dir: a new or an empty folder; it stays as it is until all is written.
        seed: of everything that is drawn.
        max_length: tokens at which examples are cut, with a warning; by default what the base can read at once.
        use_cpu: train there even where there is a GPU.
        on_step: told of each step.

    Raises:
        WrongUsage: the base names nothing or is an adapter, the data cannot be learned from, or `output_dir` holds
            something.
        CannotAnswer: the base is no causal language model, or cannot be read.
    """
    method = FullFineTune() if method is None else method
    output = _new_folder(output_dir)
    examples = read_examples(dataset)
    found = find_base(base)
    model, tokenizer = _loaded(found, method, use_cpu=use_cpu)
    with reproducible(seed), padding(tokenizer), cut_at(tokenizer, context(model, max_length)):
        trained = _trained(model, tokenizer, examples, method, seed=seed, use_cpu=use_cpu, on_step=on_step)
    manifest = {
        "base": {"ref": str(base), "fingerprint": found.fingerprint},
        "seed": seed,
        **_manifest(method, examples, trained),
    }
    with written_whole(output.with_name(f".{output.name}.unfinished"), output) as unfinished:
        save(trained.model, tokenizer, unfinished, base=found.weights)
        _keep(trained.penalty, unfinished)
        FineTuned(unfinished, trained.losses, manifest).write()
    return FineTuned(output, trained.losses, manifest)


class _Trained(NamedTuple):
    """What came of a training."""

    model: Any
    passes: Passes
    penalty: Penalty | None
    losses: Sequence[Loss]


def _trained(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    method: Method,
    *,
    seed: int,
    use_cpu: bool,
    on_step: OnStep,
) -> _Trained:
    """Train `model` as `method` wants it."""
    passes = method.passes(model, tokenizer, examples, on_step)
    adapted = method.adapt(model)
    penalty = method.penalty(adapted, tokenizer, on_step)
    losses = fit(
        adapted, tokenizer, passes, method.recipe, seed=seed, use_cpu=use_cpu, on_step=on_step, penalty=penalty
    )
    return _Trained(adapted, passes, penalty, losses)


def _loaded(found: LocalModel, method: Method, *, use_cpu: bool) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The base as the method wants it, where it will be trained; what is quantised has its place already."""
    with quiet():
        model, tokenizer = load_base(found, method.loading())
    if not getattr(model, "is_quantized", False):
        model.to(training_device(use_cpu))  # type: ignore[arg-type]  # transformers wraps torch's `to` untyped
    return model, tokenizer


def _keep(penalty: Penalty | None, folder: Path) -> None:
    """Write what a later tuning can build on."""
    if penalty is not None and penalty.kept:
        (folder / KEPT).parent.mkdir(exist_ok=True)
        save_file({name: each.cpu().contiguous() for name, each in penalty.kept.items()}, folder / KEPT)


def _new_folder(output_dir: str | Path) -> Path:
    """The absolute path, once it is sure that nothing stands there: two trainings in one folder are neither."""
    output = Path(output_dir).expanduser().absolute()
    above = next(parent for parent in output.parents if parent.exists())
    if not above.is_dir():
        raise WrongUsage(f"output_dir {output}: {above} is a file")
    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise WrongUsage(f"output_dir {output}: is there already; wanted a new or an empty folder")
    return output


def _manifest(method: Method, examples: Sequence[Example], trained: _Trained) -> dict[str, Any]:
    """How the model was trained, and on what, as plain values."""
    learned = [example for each in trained.passes for example in each]
    data = {
        "rows": len(examples),
        "sha256": digest(examples),
        "rows_trained": dict(sorted(Counter(example.source for example in learned).items())),
        "sha256_trained": digest(learned),
    }
    parameters = _parameters(trained.model)
    return {"method": described(method), "data": data, "parameters": parameters, "versions": versions()}


def _parameters(model: Any) -> dict[str, int]:
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    return {"all": sum(n for n, _ in sizes), "trainable": sum(n for n, trained in sizes if trained)}
