"""The last good checkpoint of a training: a copy without a cost, which stays when the trainer deletes its own."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from pytest_forgetting.reporting.files import replace_file


def keep(saved: Path, folder: Path, step: int) -> Path:
    """A copy of the checkpoint `saved` that takes no room where files can be linked."""
    good, older, fresh = folder / "good", folder / "good.older", folder / "good.unfinished"
    for stale in (older, fresh):
        shutil.rmtree(stale, ignore_errors=True)
    shutil.copytree(saved, fresh, copy_function=_linked)
    if good.exists():
        good.rename(older)
    fresh.rename(good)
    shutil.rmtree(older, ignore_errors=True)
    replace_file(folder / "good.json", json.dumps({"step": step, "saved_as": saved.name}) + "\n")
    return good


def kept_before(folder: Path, step: int) -> Path | None:
    """The checkpoint that the training kept which now goes on behind `step`; one that begins has kept none."""
    try:
        kept = int(json.loads((folder / "good.json").read_text(encoding="utf-8"))["step"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return folder / "good" if 0 < kept <= step and (folder / "good").is_dir() else None


def separate(good: Path) -> None:
    """Give the checkpoint of an earlier training files of its own: this one may write into those that it shares."""
    for path in good.rglob("*"):
        if path.is_file() and path.stat().st_nlink > 1:
            apart = path.with_name(f"{path.name}.unfinished")
            shutil.copy2(path, apart)
            apart.replace(path)


def _linked(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target
