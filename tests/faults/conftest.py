"""What tests of whole runs share: a folder to run in."""

from pathlib import Path

import pytest

from tests.faults.gate_runs import write_suite
from tests.tiny_models import tiny_llama


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A pair and a suite."""
    tiny_llama(tmp_path / "base", seed=1)
    tiny_llama(tmp_path / "tuned", seed=2)
    write_suite(tmp_path)
    return tmp_path
