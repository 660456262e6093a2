"""Plain stand-ins for characters that standard output cannot encode, such as that of Windows in a file."""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STAND_INS = {"−": "-", "–": "-", "…": "~", "·": "|", "→": ">", "×": "x", "≤": "<=", "≥": ">=", "‖": "|"}
"""Of the characters that the package itself writes; each takes one column, as its original does in tables."""
_ERRORS = "pytest-forgetting"


@contextmanager
def ascii_fallback() -> Iterator[None]:
    """Write stand-ins, and escapes for any other character, where standard output refuses what it cannot encode.

    Without this pytest escapes the whole line, and ``print`` fails.
    """
    stream = sys.stdout
    if not isinstance(stream, io.TextIOWrapper) or not _refuses(stream):
        yield
        return
    codecs.register_error(_ERRORS, _stand_in)
    stream.reconfigure(errors=_ERRORS)
    try:
        yield
    finally:
        if not stream.closed:
            stream.reconfigure(errors="strict")


def _refuses(stream: io.TextIOWrapper) -> bool:
    """Whether there are characters at which writing fails."""
    return stream.errors == "strict" and codecs.lookup(stream.encoding).name != "utf-8"


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    refused = error.object[error.start : error.end]
    told = [STAND_INS.get(char) or char.encode("ascii", "backslashreplace").decode() for char in refused]
    return "".join(told), error.end
