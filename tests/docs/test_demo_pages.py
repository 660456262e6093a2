"""The pages that ask the demo models: what they show is what those say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import HOME, blocks
from tests.docs.world import OWN, shown

EXITS = {"docs/quickstart.md": [0, 1, 0, 1], "docs/tutorial.md": [1, 1, 0, 0]}
"""The exit code of each command that has its output shown."""


@pytest.mark.slow
@pytest.mark.parametrize("page", EXITS)
def test_a_page_is_what_happens(tmp_path: Path, page: str) -> None:
    """Line by line, in an empty folder, with the models that `demo:` trains."""
    exits = []
    for block in blocks(page):
        if block.title:
            (tmp_path / block.title).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / block.title).write_text(block.text, encoding="utf-8")
        if block.language != "console":
            continue
        for words, output in block.commands:
            command = [sys.executable, "-m", *words, *OWN]
            ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=_environment())
            exits.append(ran.returncode)
            assert shown(ran.stdout, output), f"{block.place} shows\n{output}\nand there is\n{ran.stdout}{ran.stderr}"
    assert exits == EXITS[page]


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "PYTEST_ADDOPTS"))}
    return {**kept, "PYTHONPATH": str(HOME), "COLUMNS": "80"}
