"""Where and in which precision a model computes."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_forgetting.errors import WrongUsage

if TYPE_CHECKING:
    import torch

DTYPES = ("float32", "bfloat16", "float16")
KINDS = ("cpu", "cuda", "mps")
DRIVERS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd", "/dev/nvhost-gpu", "/dev/nvmap")
"""What Linux has where torch can find a device of kind cuda: NVIDIA's driver, WSL's, AMD's, and those of Jetson."""
LARGE = 1_000_000_000
"""Parameters from which on float32 is no longer the default on an accelerator."""


def device_for(choice: str) -> str:
    """The device that `choice` means on this machine, in torch's name.

    Args:
        choice: auto (the first of cuda, mps, cpu that is there), cpu, cuda, cuda:N or mps.

    Raises:
        WrongUsage: there is no such device here.
    """
    if choice == "cpu":
        return choice
    if choice == "auto":
        return next(kind for kind in ("cuda", "mps", "cpu") if _count(kind) > 0)
    kind, colon, number = choice.partition(":")
    if kind not in KINDS or (colon and not number.isdecimal()):
        raise WrongUsage(f"--device {choice}: {_unknown(choice, ('auto', *KINDS, 'cuda:N'))}")
    if int(number or 0) >= _count(kind):
        there = ", ".join(f"{each} ({_count(each)})" for each in KINDS if _count(each))
        raise WrongUsage(f"--device {choice}: there is no such device here; there are {there}")
    return choice


def dtype_for(choice: str, device: str, config_dtype: str | None, parameters: int) -> str:
    """The type that weights are loaded in, in torch's name.

    In float32 answers do not depend on the batch, so it is chosen by itself on the CPU and for small models.

    Args:
        choice: auto, float32, bfloat16 or float16.
        device: in torch's name.
        config_dtype: the type that the checkpoint is kept in.
        parameters: of the whole model.

    Raises:
        WrongUsage: there is no such type.
    """
    if choice != "auto" and choice not in DTYPES:
        raise WrongUsage(f"--dtype {choice}: {_unknown(choice, ('auto', *DTYPES))}")
    if choice != "auto":
        return choice
    if device.partition(":")[0] == "cpu" or parameters < LARGE:
        return "float32"
    return config_dtype if config_dtype in DTYPES else "float32"


def torch_dtype(name: str) -> torch.dtype:
    """The torch type of this name."""
    import torch

    dtype = getattr(torch, name)
    assert isinstance(dtype, torch.dtype), name
    return dtype


def _count(kind: str) -> int:
    """Devices of this kind; torch is only asked where it must be, since importing it takes a second."""
    if kind == "cpu":
        return 1
    if sys.platform == "linux" and (kind == "mps" or not any(Path(each).exists() for each in DRIVERS)):
        return 0
    import torch

    return torch.cuda.device_count() if kind == "cuda" else int(torch.backends.mps.is_available())


def _unknown(choice: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(choice, known, n=1)
    return f"is none of {', '.join(known)}" + (f"; did you mean {near[0]}?" if near else "")
