"""Importing torch for a run: without garbage collections, and with threads that wait quietly."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

CODE = """
import gc, json, os
from pytest_forgetting.answers.torch_import import importing_torch
seen = {}
with importing_torch():
    seen |= {"within": gc.isenabled(), "spins": os.environ.get("GOMP_SPINCOUNT")}
    IMPORT
seen |= {"after": gc.isenabled(), "left": os.environ.get("GOMP_SPINCOUNT"), "frozen": gc.get_freeze_count() > 1000}
print(json.dumps(seen))
"""


def seen(code: str = CODE.replace("IMPORT", "import torch"), **environment: str) -> dict[str, Any]:
    """What a fresh process sees."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GOMP", "OMP"))}
    run = subprocess.run(
        [sys.executable, "-c", code], env=kept | environment, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def test_nothing_is_collected_while_torch_is_imported() -> None:
    """Afterwards garbage is collected again, but not looked for among what was imported."""
    found = seen()
    assert not found["within"]
    assert found["after"]
    assert found["frozen"]


def test_threads_wait_quietly() -> None:
    """The library is told when it is loaded; nothing of it is left for other programs."""
    found = seen()
    assert (found["spins"], found["left"]) == ("1000", None)


@pytest.mark.parametrize("own", [{"GOMP_SPINCOUNT": "5"}, {"OMP_WAIT_POLICY": "ACTIVE"}])
def test_what_the_user_says_of_threads_counts(own: dict[str, str]) -> None:
    """Whoever sets the one or the other is left alone."""
    found = seen(**own)
    assert found["spins"] == found["left"] == own.get("GOMP_SPINCOUNT")


def test_what_a_process_held_before_is_still_collected() -> None:
    """Where torch is there already, models may be among the garbage."""
    assert not seen("import torch\n" + CODE.replace("IMPORT", "pass"))["frozen"]
