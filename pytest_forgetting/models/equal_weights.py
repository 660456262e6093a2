"""Whether two checkpoints hold the same weights, whatever else differs: a training that changed nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

_CHUNK = 1 << 20


class _Tensor(NamedTuple):
    """Where one tensor lies."""

    path: Path
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def have_equal_weights(one: Sequence[Path], other: Sequence[Path]) -> bool:
    """Whether the safetensors files of two checkpoints hold the same tensors, byte for byte, in whichever file each is.

    Ends at the first difference, which tuned weights have in the first tensor. False where that cannot be told.
    """
    try:
        left, right = _tensors(one), _tensors(other)
        if not left or left.keys() != right.keys():
            return False
        return all(_is_same(tensor, right[name]) for name, tensor in left.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False


def _tensors(paths: Sequence[Path]) -> dict[str, _Tensor]:
    found: dict[str, _Tensor] = {}
    for path in paths:
        if path.suffix != ".safetensors":
            return {}
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header: dict[str, Any] = json.loads(file.read(min(length, path.stat().st_size)))
        header.pop("__metadata__", None)
        for name, tensor in header.items():
            begin, end = (8 + length + offset for offset in tensor["data_offsets"])
            found[name] = _Tensor(path, tensor["dtype"], tuple(tensor["shape"]), begin, end)
    return found


def _is_same(one: _Tensor, other: _Tensor) -> bool:
    if (one.dtype, one.shape, one.end - one.begin) != (other.dtype, other.shape, other.end - other.begin):
        return False
    with one.path.open("rb") as left, other.path.open("rb") as right:
        left.seek(one.begin)
        right.seek(other.begin)
        waiting = one.end - one.begin
        while waiting > 0:
            chunk = left.read(min(_CHUNK, waiting))
            if not chunk or chunk != right.read(len(chunk)):
                return False
            waiting -= len(chunk)
    return True
