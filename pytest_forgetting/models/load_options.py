"""How models are loaded, as the user chose it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LoadOptions:
    """The same for both sides: anything else would compare numerics, not models."""

    device: str = "auto"
    """Where weights go; with `shards`, where tokens go in."""
    dtype: str = "auto"
    quantization: str = "none"
    """none, 8bit or 4bit; the latter two through bitsandbytes."""
    trust_remote_code: bool = False
    """Run Python files that come with the weights."""
    allow_pickle: bool = False
    """Read weights in pickle format, which may run code."""
    shards: tuple[str, ...] = ()
    """GPUs over which the layers are spread, where one is too small; empty: all are on `device`."""
