"""What a row of the table of bad inputs is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PAIR = ("--model=new.json", "--baseline=old.json")


@dataclass(frozen=True)
class BadInput:
    """One bad input: how it is made, how pytest is called on it, and all that is said."""

    name: str
    told: tuple[str, ...]
    """The lines that must be told, each exactly once; ``{here}`` stands for the folder, and a line may end in ``…``."""
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    """Written beside a good suite, `capitals.yaml`, two recordings of it and an older report."""
    prepare: Callable[[Path], object] | None = None
    """Does in that folder what files cannot tell."""
    command: tuple[str, ...] = (*PAIR, "s.yaml")
    code: int = 2
    """pytest's exit code."""


def suite(name: str, text: str | bytes, *told: str, files: Mapping[str, str | bytes] | None = None) -> BadInput:
    """A suite, `s.yaml`, that cannot be read."""
    return BadInput(name, told, {"s.yaml": text, **(files or {})})
