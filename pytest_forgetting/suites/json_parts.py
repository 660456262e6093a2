"""The parts of plain values, as JSON and YAML have them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


def parts(value: Any) -> Iterable[Any]:
    """What stands directly in `value`; nothing where it is neither an object nor an array."""
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def everything_in(value: Any) -> Iterator[Any]:
    """`value` and all that is in it, however deep: nothing recurses."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        yield each
        waiting += parts(each)
