"""Demo models on demand: found in the user's cache, or trained into it once."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

from filelock import FileLock, Timeout

from pytest_forgetting.cache import cache_folder, on_local_disk
from pytest_forgetting.demo.bar import bar
from pytest_forgetting.demo.facts import INSTRUCTIONS, MEDICATION, general_files
from pytest_forgetting.demo.recipes import DURATIONS, EDITION, METHODS, NAMES, PRETRAINING, SHAPE, VOCABULARY
from pytest_forgetting.errors import CannotAnswer, WrongUsage


def prepare(name: str, seed: int = 0) -> Path:
    """The folder of demo:`name`, a complete model in Hugging Face format; trained first if the cache lacks it.

    Args:
        name: one of `NAMES`.
        seed: of this model's own training. All tuned models stand on the base of seed 0.

    Raises:
        WrongUsage: there is no such demo model.
        CannotAnswer: the cache cannot be written.
    """
    if name not in NAMES:
        raise WrongUsage(_unknown(name))
    folder = _shelf() / f"{name}-{_key(name)}-seed{seed}"
    if not _complete(folder):
        base = None if name == "base" else prepare("base")
        with _alone(name, folder):
            if not _complete(folder):
                _train(name, base, folder, seed)
    return folder


def _unknown(name: str) -> str:
    near = get_close_matches(name, NAMES, n=1)
    hint = f"; did you mean demo:{near[0]}?" if near else ""
    return f"there is no demo:{name}; there are {', '.join(f'demo:{known}' for known in NAMES)}{hint}"


def _shelf() -> Path:
    folder = on_local_disk(cache_folder() / "demo", "demo")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        raise CannotAnswer(f"demo models cannot be kept in {folder}: {fault.strerror}") from fault
    return folder


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
    return (folder / "config.json").is_file() and (folder / "model.safetensors").is_file()


@contextmanager
def _alone(name: str, folder: Path) -> Iterator[None]:
    lock = FileLock(folder.with_name(f"{folder.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"waiting for another process that trains demo:{name}", file=sys.stderr, flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _train(name: str, base: Path | None, folder: Path, seed: int) -> None:
    """Train beside `folder` and rename at the end, so that nothing half-made ever bears its name."""
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)  # of a run that was killed
    try:
        with bar(f"training demo:{name} (once, {DURATIONS[name]})") as on_step:
            from pytest_forgetting.demo.making import make

            make(name, base, unfinished, seed, on_step)
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)
    except OSError as fault:
        raise CannotAnswer(f"demo:{name} cannot be written to {folder.parent}: {fault.strerror or fault}") from fault
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
