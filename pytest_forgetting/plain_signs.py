"""What stands for signs that standard output cannot bear, such as that of Windows when it goes into a file."""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STAND_INS = {"−": "-", "–": "-", "…": "~", "·": "|", "→": ">", "×": "x", "≤": "<=", "≥": ">=", "‖": "|"}
"""Of the signs that the package itself writes; of those in tables each takes one column, as its sign does."""
_ERRORS = "pytest-forgetting"


@contextmanager
def plain_signs() -> Iterator[None]:
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
    """Whether there are signs at which writing fails."""
    return stream.errors == "strict" and codecs.lookup(stream.encoding).name != "utf-8"


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    refused = error.object[error.start : error.end]
    told = [STAND_INS.get(char) or char.encode("ascii", "backslashreplace").decode() for char in refused]
    return "".join(told), error.end
