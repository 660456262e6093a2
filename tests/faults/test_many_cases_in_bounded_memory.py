"""A hundred thousand cases: memory per case stays what it is for a tenth of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.many_cases import PAIR, generate, measured

CASES = 100_000
KIB_A_CASE = 6
"""5 were measured; whatever is kept once more of each case goes beyond."""


@pytest.mark.slow
def test_memory_is_bounded(tmp_path: Path) -> None:
    """Two recordings, no model: the whole run, less an empty one, and its verdict is right."""
    generate(tmp_path, CASES)
    _, _, least = measured(tmp_path, "test_nothing.py")
    code, _, peak = measured(tmp_path, *PAIR)
    print(f"{peak} MiB, an empty run {least} MiB: {(peak - least) * 1024 / CASES:.1f} KiB a case")
    assert code == 0  # one of fifty is forgotten, and a tenth may be
    assert (peak - least) * 1024 / CASES < KIB_A_CASE
