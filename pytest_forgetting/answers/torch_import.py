"""Importing torch and what stands on it, as suits a process that asks two models and ends."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SPINS = "GOMP_SPINCOUNT", "1000"
"""For how many rounds a thread of torch's that waits for others keeps its core busy. With GNU OpenMP's own 300,000 a
run of six seconds takes half a minute and more where others use the cores too, as on a shared runner. On an idle
machine 1000 cost nothing that could be measured."""


@contextmanager
def importing_torch() -> Iterator[None]:
    """Import torch within: without the garbage collector in the way, and with threads that wait quietly.

    Imports bring hundreds of thousands of objects that stay to the end, and the collector looks through all of them
    again and again: while they come, five times when pytest ends, and once more when Python does. Where torch is there
    already nothing is exempted, as by then a process may hold garbage worth collecting, such as models.
    """
    first, collecting = "torch" not in sys.modules, gc.isenabled()
    gc.disable()
    try:
        with _quiet_threads():
            yield
    finally:
        if first:
            gc.freeze()
        if collecting:
            gc.enable()


@contextmanager
def _quiet_threads() -> Iterator[None]:
    """Say so where the library looks when it is loaded, unless the user has said something."""
    name, spins = SPINS
    if name in os.environ or "OMP_WAIT_POLICY" in os.environ:
        yield
        return
    os.environ[name] = spins
    try:
        yield
    finally:
        del os.environ[name]
