"""``pytest --forgetting-init``: the starter suites, written where the user wants them."""

from __future__ import annotations

import filecmp
import os
import shutil
import sys
from pathlib import Path

from pytest_forgetting.ascii_fallback import ascii_fallback
from pytest_forgetting.commands.shipped import shipped


def write_starter_suites(here: Path, folder: str) -> int:
    """Copy the starter suites into `folder`; existing files are never overwritten.

    Args:
        here: where a relative path starts from.
        folder: as the user names it.

    Returns:
        pytest's exit code: 0, or 4 where another file of that name exists, or the folder cannot be written to.
    """
    if not folder.strip():
        print("ERROR: --forgetting-init is empty: name a folder, or leave the value out", file=sys.stderr)
        return 4
    target = here / folder
    with ascii_fallback():
        try:
            return _write(target)
        except OSError as error:
            print(f"ERROR: {error.filename or target} cannot be written: {error.strerror}", file=sys.stderr)
            return 4


def _is_copy(path: Path, source: Path) -> bool:
    return path.is_file() and filecmp.cmp(path, source, shallow=False)


def _write(target: Path) -> int:
    sources = sorted(path for path in shipped("example_suites").iterdir() if path.is_file())
    existing = [path.name for path in sources if os.path.lexists(target / path.name)]
    if len(existing) == len(sources) and all(_is_copy(target / path.name, path) for path in sources):
        print(f"{target} has the starter suites already, as they are shipped")
    elif existing:
        print(f"ERROR: {target} already has {', '.join(existing)}; nothing was written", file=sys.stderr)
        return 4
    else:
        target.mkdir(parents=True, exist_ok=True)
        for path in sources:
            shutil.copyfile(path, target / path.name)
            print(f"wrote {target / path.name}")
    print("medication.yaml asks for the domain that the demo learns: put your own there, or delete it")
    print(f"next: pytest --model=./your-checkpoint --baseline=its-base {target}")
    return 0
