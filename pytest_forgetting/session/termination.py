"""SIGTERM, and a controller that is gone: whoever is ended leaves nothing running and nothing lying about."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

LOOK_EVERY = 0.2
"""Seconds between two looks at whether a worker's controller is still there."""
_LAST_ACTS: list[tuple[int, Callable[[], object]]] = []
"""What is done before the end, each with the process that wants it."""


def before_termination(act: Callable[[], object]) -> Callable[[], None]:
    """Have `act` called where SIGTERM ends this process, but none of its forks; the latest of several comes first.

    Somebody else's handler is left in its place.

    Returns:
        What takes that back; harmless the second time.
    """
    wanted = os.getpid(), act
    _LAST_ACTS.append(wanted)
    with contextlib.suppress(ValueError):  # outside of the main thread
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _end)

    def take_back() -> None:
        with contextlib.suppress(ValueError):  # taken back already, or outside of the main thread
            _LAST_ACTS.remove(wanted)
            if not _LAST_ACTS and signal.getsignal(signal.SIGTERM) is _end:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)

    return take_back


def end_with_parent() -> None:
    """End this process, as SIGTERM would, once the one that has started it is gone.

    execnet alone lets a worker compute for five seconds more, with nobody left to hear of it.
    """
    threading.Thread(target=_watch, args=(os.getppid(),), name="forgetting-parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY)
    os.kill(os.getpid(), signal.SIGTERM)


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of handlers
    """Do what is to be done, and end as whoever sent the signal wants it."""
    while _LAST_ACTS:
        process, act = _LAST_ACTS.pop()
        if process == os.getpid():
            with contextlib.suppress(Exception):  # one that fails keeps neither the others nor the end from coming
                act()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
