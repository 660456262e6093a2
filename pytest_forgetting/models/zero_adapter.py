"""Adapters that change nothing because they are zero, as their files tell before anything is loaded."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_forgetting.models.folder import ADAPTER_CONFIG, adapter_weights, read_json
from pytest_forgetting.models.stored_tensors import CHUNK, UNREADABLE, StoredTensor, stored_tensors

_MATRIX = re.compile(r"(.+)\.lora_(?:embedding_)?([AB])(?:\.weight)?")
KEEPS_THE_BASE = (None, True, False, "gaussian")
"""Ways to begin a LoRA that leave the weights below as they are, so that zero means no change."""


def is_zero(folder: Path) -> bool:
    """Whether the adapter in `folder` is plain LoRA and the product of each pair of its matrices is zero.

    False says nothing: other kinds of adapters, and files that cannot be read here, are seen when they are loaded.
    """
    weights = adapter_weights(folder, allow_pickle=False)
    if weights is None or not _is_plain_lora(read_json(folder / ADAPTER_CONFIG)):
        return False
    try:
        return _all_zero(stored_tensors(weights))
    except UNREADABLE:
        return False


def _is_plain_lora(config: dict[str, Any]) -> bool:
    odd = any(config.get(name) for name in ("use_dora", "layer_replication", "modules_to_save", "loftq_config"))
    plain = config.get("init_lora_weights") in KEEPS_THE_BASE and config.get("bias", "none") == "none"
    return config.get("peft_type") == "LORA" and plain and not odd


def _all_zero(tensors: Mapping[str, StoredTensor]) -> bool:
    pairs: dict[str, list[StoredTensor]] = defaultdict(list)
    for name, tensor in tensors.items():
        matrix = _MATRIX.fullmatch(name)
        if matrix is None:
            return False  # something else is trained beside the matrices
        pairs[matrix[1]].append(tensor)
    return bool(pairs) and all(any(map(_is_blank, pair)) for pair in pairs.values())


def _is_blank(tensor: StoredTensor) -> bool:
    """Whether all bytes of it are zero; ends at the first chunk with another."""
    with tensor.path.open("rb") as file:
        waiting = tensor.end - file.seek(tensor.begin)
        while waiting > 0:
            chunk = file.read(min(CHUNK, waiting))
            if not chunk or chunk.count(0) < len(chunk):
                return False
            waiting -= len(chunk)
    return True
