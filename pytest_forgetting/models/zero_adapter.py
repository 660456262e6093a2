"""Adapters that change nothing because they are zero, as their files tell before anything is loaded."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any, BinaryIO

from pytest_forgetting.models.folder import ADAPTER_CONFIG, adapter_weights, read_json

_MATRIX = re.compile(r"(.+)\.lora_(?:embedding_)?([AB])(?:\.weight)?")
KEEPS_THE_BASE = (None, True, False, "gaussian")
"""Ways to begin a LoRA that leave the weights below as they are, so that zero means no change."""
_LONGEST_HEADER = 100_000_000
"""Bytes; safetensors takes no longer one."""
_CHUNK = 1 << 20


def is_zero(folder: Path) -> bool:
    """Whether the adapter in `folder` is plain LoRA and the product of each pair of its matrices is zero.

    False says nothing: other kinds of adapters, and files that cannot be read here, are seen when they are loaded.
    """
    weights = adapter_weights(folder, allow_pickle=False)
    if weights is None or not _is_plain_lora(read_json(folder / ADAPTER_CONFIG)):
        return False
    try:
        with weights.open("rb") as file:
            return _all_zero(file)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False


def _is_plain_lora(config: dict[str, Any]) -> bool:
    odd = any(config.get(name) for name in ("use_dora", "layer_replication", "modules_to_save", "loftq_config"))
    plain = config.get("init_lora_weights") in KEEPS_THE_BASE and config.get("bias", "none") == "none"
    return config.get("peft_type") == "LORA" and plain and not odd


def _all_zero(file: BinaryIO) -> bool:
    length = int.from_bytes(file.read(8), "little")
    if length > _LONGEST_HEADER:
        return False
    header: dict[str, Any] = json.loads(file.read(length))
    header.pop("__metadata__", None)
    pairs: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for name, tensor in header.items():
        matrix = _MATRIX.fullmatch(name)
        if matrix is None:
            return False  # something else is trained beside the matrices
        begin, end = tensor["data_offsets"]
        pairs[matrix[1]].append((8 + length + begin, 8 + length + end))
    return bool(pairs) and all(any(_is_blank(file, *span) for span in pair) for pair in pairs.values())


def _is_blank(file: BinaryIO, begin: int, end: int) -> bool:
    """Whether all bytes between two positions are zero; ends at the first chunk with another."""
    file.seek(begin)
    while begin < end:
        chunk = file.read(min(_CHUNK, end - begin))
        if not chunk or chunk.count(0) < len(chunk):
            return False
        begin += len(chunk)
    return True
