"""A time limit for chat templates: programs that come with checkpoints, whose loops need not end."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

TIME_LIMIT = 10.0
"""Seconds for one prompt."""
_raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
_hopeless: set[str] = set()


class TookTooLong(Exception):
    """A template ran longer than `TIME_LIMIT`, or would compute without end before it could be stopped."""


class _Interrupt(BaseException):
    """Raised within the template, by another thread; no `except Exception` on the way stops it."""


@contextmanager
def interrupted(template: str) -> Iterator[None]:
    """Stop the block, in which `template` is rendered, at the time limit; what ran into it is not tried again.

    Loops are stopped. One single operation is not, so powers, which can take hours each, are refused.

    Raises:
        TookTooLong: it was stopped.
    """
    if template in _hopeless:
        raise TookTooLong(f"it runs longer than {TIME_LIMIT:g} s")
    if "**" in template and _has_powers(template):
        raise TookTooLong("it computes powers (**), which need not end")
    watched = _Watched(threading.get_ident())
    timer = threading.Timer(TIME_LIMIT, watched.stop)
    timer.daemon = True
    timer.start()
    try:
        try:
            yield
        finally:
            timer.cancel()
            watched.release()
    except _Interrupt:
        _hopeless.add(template)
        raise TookTooLong(f"it runs longer than {TIME_LIMIT:g} s") from None


class _Watched:
    """A thread at work, that may be stopped until it is released."""

    def __init__(self, thread: int) -> None:
        self._thread = ctypes.c_ulong(thread)
        self._lock = threading.Lock()
        self._at_work = True

    def stop(self) -> None:
        with self._lock:
            if self._at_work:
                _raise_in(self._thread, ctypes.py_object(_Interrupt))

    def release(self) -> None:
        """From now on nothing is raised; what is on its way is called back."""
        with self._lock:
            self._at_work = False
            _raise_in(self._thread, None)


@cache
def _has_powers(template: str) -> bool:
    """Whether the operator ``**`` stands in `template` elsewhere than before arguments, ``f(**more)``."""
    from jinja2 import Environment, TemplateSyntaxError

    before = ""
    try:
        for _, kind, text in Environment().lex(template):
            if kind == "operator" and text == "**" and before not in ("(", ","):
                return True
            before = before if kind == "whitespace" else text
    except TemplateSyntaxError:
        return False  # told where it is rendered
    return False
