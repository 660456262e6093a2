"""A tuned model on the disk, with what is known of its training; known without torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

MANIFEST = "training.json"
"""Beside the weights; written last, so that where it stands the folder is whole."""
_LOSSES = "losses"
_LIBRARIES = ("torch", "transformers", "peft", "pytest-forgetting")


class Loss(NamedTuple):
    """Means over the steps up to and with this one."""

    step: int
    loss: float
    """Per token, with the penalty."""
    penalty: float = 0.0
    """What the method added."""


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

    def write(self) -> None:
        """Write manifest and losses into the folder."""
        told = {**self.manifest, _LOSSES: [loss._asdict() for loss in self.losses]}
        (self.path / MANIFEST).write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def versions() -> dict[str, str]:
    """Of the libraries that decide what comes out of a training."""
    return {library: version(library) for library in _LIBRARIES}


def is_tuned(folder: Path) -> bool:
    """Whether `folder` holds what `finetune` wrote, and somebody's clearing of large files has spared the weights."""
    return (folder / MANIFEST).is_file() and any(folder.glob("*.safetensors"))


def read_tuned(folder: Path) -> FineTuned:
    """What `finetune` wrote into `folder`."""
    told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    losses = [Loss(**loss) for loss in told.pop(_LOSSES)]
    return FineTuned(folder, losses, told)
