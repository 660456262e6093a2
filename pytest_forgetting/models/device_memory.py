"""Memory of a device: how much of it is free, and whether an error says that it ran out."""

from __future__ import annotations

import torch

from pytest_forgetting.models.free_memory import free_memory

_SIGNS = ("out of memory", "can't allocate memory", "cannot allocate memory", "bad_alloc")
"""What the errors of CUDA, of torch's allocator, of the system and of C++ say."""


def free_bytes(device: str) -> int:
    """Bytes that can still be had on `device`."""
    if device.startswith("cuda"):
        free: int = torch.cuda.mem_get_info(device)[0]
        # What torch holds in its own cache is free to us as well.
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    if device.startswith("mps"):
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    return free_memory()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` says that memory ran out, on any device (on the CPU torch raises a plain RuntimeError)."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(sign in text for sign in _SIGNS)
