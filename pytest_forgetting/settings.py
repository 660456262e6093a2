"""What a run is asked to do: one frozen value, the same with and without pytest."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

Rule = Literal["threshold", "significant", "proven"]
Think = Literal["strip", "keep", "off"]
THINK_CHOICES: tuple[Think, ...] = ("strip", "keep", "off")
RULES: tuple[Rule, ...] = ("threshold", "significant", "proven")
Engine = Literal["local", "ray"]
ENGINES: tuple[Engine, ...] = ("local", "ray")
Inconclusive = Literal["warn", "fail", "pass"]
INCONCLUSIVE_CHOICES: tuple[Inconclusive, ...] = ("warn", "fail", "pass")


@dataclass(frozen=True)
class Settings:
    """Everything that a caller may choose; references are still text here."""

    model: str | None = None
    """The fine-tuned model under test."""
    baseline: str | None = None
    """The model it was tuned from; None: the one that the candidate itself records."""
    max_drop: Fraction | None = None
    """Overrides the suites' overall thresholds, not their category thresholds."""
    rule: Rule | None = None
    """Overrides the suites' own: how sure a gate must be."""
    confidence: float = 0.95
    """Of intervals, and of the rules `significant` and `proven`."""
    inconclusive: Inconclusive = "warn"
    """What an INCONCLUSIVE gate does to the exit code."""
    reports: tuple[Path, ...] = ()
    record: Path | None = None
    """Where to write a recording of the answers."""
    store: Path | None = None
    """Folder of the answer store; None: the user's cache folder."""
    no_store: bool = False
    """Keep answers for this run only."""
    limit: int | None = None
    """Cases of each suite, drawn with a fixed seed."""
    device: str = "auto"
    dtype: str = "auto"
    quantization: str = "none"
    batch_size: int | None = None
    """Rows asked at once; None: found from free memory. Of a server: requests at once."""
    request_timeout: float | None = None
    """Seconds for one request to a server; None: five minutes."""
    trust_remote_code: bool = False
    allow_pickle: bool = False
    allow_python: bool = False
    chat_template: str = "own"
    """own, baseline, model, none, or a file."""
    think: Think = "strip"
    """Whether thoughts are left out before grading, kept, or switched off through the chat template."""
    chat_template_kwargs: dict[str, Any] = field(default_factory=dict)
    engine: Engine = "local"
    """What computes answers: this machine's devices, or the actors of a Ray cluster."""
    ray_address: str | None = None
    """HOST:PORT of a running cluster, or auto; None: a local one is started."""
    ray_actors: int | None = None
    """None: as many as the cluster has room for."""
    ray_cpus: int = 1
    """CPUs of each actor."""


def exact(text: str) -> Fraction:
    """Read a number exactly.

    Raises:
        ValueError: it is none, or none of a size that anybody means.
    """
    exponent = text.lower().partition("e")[2]
    if exponent and not -20 <= int(exponent) <= 20:  # powers of ten are written out: 1e999999999 would take hours
        raise ValueError(f"{text} is beyond all measure")
    return Fraction(text.strip())


def fraction(text: str) -> Fraction:
    """Read a share exactly: ``0.1``, ``10%`` and ``1/10`` are one tenth.

    Raises:
        ValueError: it is no number, or not within 0 and 1.
    """
    number = text.strip()
    share = exact(number[:-1]) / 100 if number.endswith("%") else exact(number)
    if not 0 <= share <= 1:
        raise ValueError(f"{text} is not within 0 and 1")
    return share
