"""Where and in which precision a model computes."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pytest_forgetting.errors import CannotAnswer, WrongUsage

if TYPE_CHECKING:
    import torch

DTYPES = ("float32", "bfloat16", "float16")
KINDS = ("cpu", "cuda", "mps")
DRIVERS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd", "/dev/nvhost-gpu", "/dev/nvmap")
"""What Linux has where torch can find a device of kind cuda: NVIDIA's driver, WSL's, AMD's, and those of Jetson."""
LARGE = 1_000_000_000
"""Parameters from which on float32 is no longer the default on an accelerator."""
CPU_DEVICES = "PYTEST_FORGETTING_CPU_DEVICES"
"""Environment variable: for how many devices the CPU counts (default: one), so that as many processes ask on it at
once. Tests have several devices in this way where there are no GPUs."""
WEIGHTS_SHARE = 0.9
"""Of a GPU's memory, that weights may take: the rest is for what is computed with them."""
BYTES = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0, "8bit": 1.0, "4bit": 0.5}
"""Of one parameter, by type or quantisation."""


class Device(NamedTuple):
    """One device, on which one process at a time holds models."""

    name: str
    """The same in every process of this machine, whichever of its GPUs a process can see."""
    torch: str
    """In torch's name."""


@dataclass(frozen=True)
class Places:
    """Where a process may hold its models."""

    devices: tuple[Device, ...]
    together: bool = False
    """Whether it takes all of them, as one is too small; else one of them, whichever is free."""

    @property
    def several(self) -> bool:
        """Whether several processes can ask at the same time, each on a device of its own."""
        return len(self.devices) > 1 and not self.together


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
    if kind not in KINDS or (colon and not (number.isdecimal() and len(number) < 10)):
        raise WrongUsage(f"--device {choice:.200}: {_unknown(choice, ('auto', *KINDS, 'cuda:N'))}")
    if int(number or 0) >= _count(kind):
        there = ", ".join(f"{each} ({_count(each)})" for each in KINDS if _count(each))
        raise WrongUsage(f"--device {choice}: there is no such device here; there are {there}")
    return choice


def devices_for(choice: str) -> tuple[Device, ...]:
    """All devices that `choice` leaves open: ``auto`` and ``cuda`` mean any GPU of this machine, ``cuda:1`` that one.

    Args:
        choice: as for `device_for`.

    Raises:
        WrongUsage: there is no such device here.
    """
    device = device_for(choice)
    kind, colon, number = device.partition(":")
    if kind == "cpu":
        count = max(1, int(os.environ.get(CPU_DEVICES) or 1))
        return tuple(Device(f"cpu-{n}" if count > 1 else "cpu", "cpu") for n in range(count))
    if kind != "cuda":
        return (Device(kind, kind),)
    numbers = [int(number)] if colon else range(_count("cuda"))
    return tuple(Device(f"cuda-{_on_the_machine(n)}", f"cuda:{n}") for n in numbers)


def places_for(choice: str, needed: float) -> Places:
    """Where models of `needed` bytes can be held: on one of several GPUs, or spread over all where one is too small.

    Args:
        choice: as for `device_for`.
        needed: bytes of the weights of the larger model.

    Raises:
        WrongUsage: there is no such device here.
        CannotAnswer: not even all GPUs together can hold it.
    """
    devices = devices_for(choice)
    if len(devices) == 1 or devices[0].torch == "cpu":
        return Places(devices)
    memory = [memory_of(device.torch) for device in devices]
    if needed <= WEIGHTS_SHARE * min(memory):
        return Places(devices)
    if needed > WEIGHTS_SHARE * sum(memory):
        raise CannotAnswer(
            f"--device {choice}: the weights take {needed / 2**30:.1f} GiB, and the {len(devices)} GPUs together have"
            f" {sum(memory) / 2**30:.1f}; use --dtype bfloat16, or --quantization"
        )
    return Places(devices, together=True)


def memory_of(device: str) -> int:
    """Bytes of memory that a GPU has in all."""
    import torch

    return int(torch.cuda.get_device_properties(device).total_memory)


def _on_the_machine(number: int) -> str:
    """What the GPU is called that this process sees as its `number`: processes may see different ones."""
    visible = [each.strip() for each in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    name = visible[number] if number < len(visible) and visible[number] else str(number)
    return re.sub(r"[^0-9A-Za-z-]", "-", name)


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
