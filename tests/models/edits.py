"""Checkpoints copied and changed."""

import json
import shutil
from pathlib import Path


def edit_json(path: Path, **changes: object) -> None:
    """Change keys of a JSON file, made where it is missing."""
    path.write_text(json.dumps({**(json.loads(path.read_text()) if path.exists() else {}), **changes}))


def copied(folder: Path, target: Path, without: str = "nothing") -> Path:
    """A copy of a checkpoint that lacks one file."""
    shutil.copytree(folder, target)
    (target / without).unlink(missing_ok=True)
    return target
