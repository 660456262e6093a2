"""Whether two checkpoints hold the same weights, whatever else differs: a training that changed nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pytest_forgetting.models.stored_tensors import CHUNK, UNREADABLE, StoredTensor, stored_tensors


def have_equal_weights(one: Sequence[Path], other: Sequence[Path]) -> bool:
    """Whether the safetensors files of two checkpoints hold the same tensors, byte for byte, in whichever file each is.

    Ends at the first difference, which tuned weights have in the first tensor. False where that cannot be told.
    """
    try:
        left, right = _tensors(one), _tensors(other)
        if not left or left.keys() != right.keys():
            return False
        return all(_is_same(tensor, right[name]) for name, tensor in left.items())
    except UNREADABLE:
        return False


def _tensors(paths: Sequence[Path]) -> dict[str, StoredTensor]:
    if any(path.suffix != ".safetensors" for path in paths):
        return {}
    return {name: tensor for path in paths for name, tensor in stored_tensors(path).items()}


def _is_same(one: StoredTensor, other: StoredTensor) -> bool:
    if (one.dtype, one.shape, one.end - one.begin) != (other.dtype, other.shape, other.end - other.begin):
        return False
    with one.path.open("rb") as left, other.path.open("rb") as right:
        left.seek(one.begin)
        right.seek(other.begin)
        waiting = one.end - one.begin
        while waiting > 0:
            chunk = left.read(min(CHUNK, waiting))
            if not chunk or chunk != right.read(len(chunk)):
                return False
            waiting -= len(chunk)
    return True
