"""Importing what is heavy, without the garbage collector in the way."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage while torch and transformers are imported, and look for none among what they bring.

    They bring hundreds of thousands of objects that stay to the end, and the collector looks through all of them again
    and again: while they come, five times when pytest ends, and once more when Python does. Where torch is there
    already nothing is exempted, as by then a process may hold garbage worth collecting, such as models.
    """
    first, collecting = "torch" not in sys.modules, gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if first:
            gc.freeze()
        if collecting:
            gc.enable()
