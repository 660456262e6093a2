"""Regular expressions from suites, which may be of any quality."""

from __future__ import annotations

from pytest_forgetting.suites.patterns import compiled

TIME_LIMIT = 1.0
"""Seconds for one search."""


class Undecidable(Exception):
    """A condition could not be looked into; the message says why, for the grade."""


def matches(pattern: str, text: str) -> bool:
    """Whether `pattern` is found in `text`.

    Raises:
        Undecidable: the search took longer than `TIME_LIMIT`.
        regex.error: `pattern` is no regular expression (`regex`).
    """
    try:
        return compiled(pattern).search(text, timeout=TIME_LIMIT) is not None
    except TimeoutError as error:
        raise Undecidable(f"the pattern ran longer than {TIME_LIMIT:g} s") from error
    except MemoryError as error:
        raise Undecidable("the pattern needed more memory than there is") from error
