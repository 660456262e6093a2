"""Weights as memory of one's own, which no change to their files reaches."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def detach_from_files(model: torch.nn.Module) -> None:
    """Copy whatever of `model` is still a view into its file.

    Libraries map weight files instead of reading them. A training that saves over such a file would change the model in
    mid-run, and one that shortens it would end the process.
    """
    for tensor in chain(model.parameters(), model.buffers()):
        # torch cannot resize mapped memory, as it is not its own.
        if tensor.device.type == "cpu" and not tensor.untyped_storage().resizable():
            tensor.data = tensor.data.clone()
