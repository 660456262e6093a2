"""Tuned models on demand, for tests: found in the user's cache, or trained into it once. Finding needs no torch."""

from __future__ import annotations

import hashlib
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

from pytest_forgetting.made_once import cache_subfolder, made_once
from pytest_forgetting.models.local_model import LocalModel
from pytest_forgetting.models.references import resolve
from pytest_forgetting.training.examples import Example, digest, read_examples
from pytest_forgetting.training.method import Method, described
from pytest_forgetting.training.progress_bar import progress_bar
from pytest_forgetting.training.tuned import FineTuned, is_tuned, read_tuned, versions

EDITION = 2
"""Raised when the code that trains changes what comes out: models of an older edition are left alone."""


def finetuned(
    method: Method,
    *,
    base: str | os.PathLike[str],
    data: Any,
    seed: int = 0,
    max_length: int | None = None,
    use_cpu: bool = False,
) -> FineTuned:
    """`finetune` with these arguments, once: the same again is read from the user's cache.

    What counts is content: the method with all its settings, the weights of the base and where they lie (an adapter
    names them by their path), the examples, the seed, and the versions of the libraries. Several processes that ask
    for one model wait for the first.

    Args:
        method: how it is tuned.
        base: as `finetune` takes it.
        data: as `finetune` takes its dataset.
        seed: of everything that is drawn.
        max_length: tokens at which examples are cut.
        use_cpu: train there even where there is a GPU.

    Raises:
        WrongUsage: the base names nothing or is an adapter, or the data cannot be learned from.
        CannotAnswer: the base cannot be read, or the cache not written.
    """
    examples = read_examples(data)
    options: dict[str, Any] = {"seed": seed, "max_length": max_length, "use_cpu": use_cpu}
    key = _key({"base": _identity(resolve(os.fspath(base))), "data": digest(examples), "options": options}, method)
    what = f"a {type(method).__name__} tuning of {os.fspath(base)}"
    make = partial(_tune, os.fspath(base), examples, method, options)
    folder = cache_subfolder("finetuned", "tuned models") / f"{type(method).__name__}-{key}"
    return read_tuned(made_once(folder, what, is_tuned, make))


def _tune(base: str, examples: list[Example], method: Method, options: dict[str, Any], folder: Path) -> None:
    """Train; importing what is heavy takes seconds, so whoever waits is told before."""
    with progress_bar(f"training {type(method).__name__} on {len(examples)} examples (once: it is kept)") as on_step:
        from pytest_forgetting.training.tuning import finetune

        finetune(base, examples, method=method, output_dir=folder, on_step=on_step, **options)


def _identity(base: LocalModel) -> list[str | None]:
    return [base.fingerprint, str(base.weights), base.chat_template]


def _key(inputs: dict[str, Any], method: Method) -> str:
    told = {**inputs, "method": described(method), "edition": EDITION, "versions": versions()}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]
