"""Where the tensors of a safetensors file lie, for what looks at their bytes without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

CHUNK = 1 << 20
"""Bytes to look at in one go."""
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What looking into a damaged file, or one of another kind, may raise."""
_LONGEST_HEADER = 100_000_000
"""Bytes; safetensors takes no longer one."""


class StoredTensor(NamedTuple):
    """Where one tensor lies, and what its bytes mean."""

    path: Path
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def stored_tensors(path: Path) -> dict[str, StoredTensor]:
    """The tensors of the safetensors file `path` by name.

    Raises:
        OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError: it is damaged, or no such file.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _LONGEST_HEADER:
            raise ValueError(f"a header of {length} bytes")
        header: dict[str, Any] = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return {name: _place(path, 8 + length, told) for name, told in header.items()}


def _place(path: Path, start: int, told: dict[str, Any]) -> StoredTensor:
    begin, end = told["data_offsets"]
    return StoredTensor(path, told["dtype"], tuple(told["shape"]), start + begin, start + end)
