"""Demo models on demand: found in the user's cache, or trained into it once."""

from __future__ import annotations

import hashlib
import warnings
from difflib import get_close_matches
from pathlib import Path

from pytest_forgetting.demo.facts import INSTRUCTIONS, MEDICATION, general_files
from pytest_forgetting.demo.recipes import DURATIONS, EDITION, METHODS, NAMES, PRETRAINING, SHAPE, VOCABULARY
from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.made_once import cache_subfolder, made_once
from pytest_forgetting.training.progress_bar import progress_bar


def prepare(name: str, seed: int = 0) -> Path:
    """The folder of demo:`name`, a model or an adapter in Hugging Face format; trained first if the cache lacks it.

    Args:
        name: one of `NAMES`.
        seed: of this model's own training. All tuned models stand on the base of seed 0.

    Raises:
        WrongUsage: there is no such demo model.
        CannotAnswer: the cache cannot be written.
    """
    if name not in NAMES:
        raise WrongUsage(_unknown(name))
    folder = cache_subfolder("demo", "demo models") / f"{name}-{_key(name)}-seed{seed}"

    base = None if name == "base" or _complete(folder) else prepare("base")

    def make(unfinished: Path) -> None:
        with progress_bar(f"training demo:{name} (once, {DURATIONS[name]})") as on_step, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # libraries warn of themselves, in thirty lines and more
            from pytest_forgetting.demo.making import make

            make(name, base, unfinished, seed, on_step)

    return made_once(folder, f"demo:{name}", _complete, make)


def _unknown(name: str) -> str:
    near = get_close_matches(name, NAMES, n=1)
    hint = f"; did you mean demo:{near[0]}?" if near else ""
    return f"there is no demo:{name:.200}; there are {', '.join(f'demo:{known}' for known in NAMES)}{hint}"


def _key(name: str) -> str:
    """Names all that decides the weights: changed facts or recipes give another folder."""
    digest = hashlib.sha256(repr((EDITION, PRETRAINING, VOCABULARY, SHAPE)).encode())
    files = [*general_files(), INSTRUCTIONS]
    if name != "base":
        digest.update(repr(METHODS[name]).encode())
        files.append(MEDICATION)
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _complete(folder: Path) -> bool:
    """Whether a whole model or a whole adapter lies there."""
    pairs = (("config.json", "model.safetensors"), ("adapter_config.json", "adapter_model.safetensors"))
    return any(all((folder / name).is_file() for name in pair) for pair in pairs)
