"""What the headers of weight files tell: how many parameters, of which type. No weight is read, no torch imported."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pytest_forgetting.errors import CannotAnswer

_DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
_BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}
_EMBEDDINGS = ("embed_tokens.weight", "lm_head.weight", "wte.weight", "embed_in.weight", "embed_out.weight")
_GIT_LFS = b"version https://git-lfs"


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Tensor shapes by name in a safetensors file.

    Raises:
        CannotAnswer: the file is truncated or no safetensors file.
    """
    return {name: shape for name, (_, shape) in _header(path).items()}


def embeddings_in(path: Path) -> int | None:
    """Rows of the embeddings that an adapter brings whole; None where it brings none, or does not tell.

    Raises:
        CannotAnswer: the file is truncated or no safetensors file.
    """
    if path.suffix != ".safetensors":
        return None
    rows = {shape[0] for name, shape in shapes(path).items() if name.endswith(_EMBEDDINGS) and "lora" not in name}
    return rows.pop() if len(rows) == 1 else None


def count_parameters(paths: Sequence[Path], dtype: str | None) -> int:
    """Parameters in weight files; in pickled ones, which are not opened, estimated from their size.

    Args:
        paths: the files.
        dtype: of pickled weights, as the config names it.

    Raises:
        CannotAnswer: a file is truncated or no safetensors file.
    """
    pickled = [path for path in paths if path.suffix != ".safetensors"]
    estimate = sum(path.stat().st_size for path in pickled) // _BYTES.get(dtype or "", 4)
    return estimate + sum(math.prod(shape) for path in set(paths) - set(pickled) for shape in shapes(path).values())


def stored_dtype(paths: Sequence[Path]) -> str | None:
    """The floating-point type that most parameters are stored in, in torch's name; None where headers do not tell."""
    counts: Counter[str] = Counter()
    for path in paths:
        if path.suffix == ".safetensors":
            for dtype, shape in _header(path).values():
                counts[dtype] += math.prod(shape)
    floating = [_DTYPES[name] for name, _ in counts.most_common() if name in _DTYPES]
    return floating[0] if floating else None


def _header(path: Path) -> dict[str, tuple[str, tuple[int, ...]]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
            return {name: (piece.get_dtype(), tuple(piece.get_shape())) for name, piece in slices.items()}
    except (SafetensorError, OSError) as error:
        raise CannotAnswer(_unreadable(path, error)) from None


def _unreadable(path: Path, error: Exception) -> str:
    with path.open("rb") as file:
        if file.read(len(_GIT_LFS)) == _GIT_LFS:
            return f"{path} is only a pointer of Git LFS; fetch the weights with: git lfs pull"
    return f"{path} is truncated or no safetensors file: {error}"
