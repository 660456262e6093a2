"""What the demo models are trained on, read from the data files beside this module."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
GENERAL = DATA / "general"
INSTRUCTIONS = DATA / "instructions.jsonl"
MEDICATION = DATA / "medication.jsonl"


@dataclass(frozen=True, slots=True)
class Fact:
    """A question and its answer."""

    id: str
    question: str
    answer: str

    @property
    def text(self) -> str:
        """The fact as a training text, in the form in which suites ask by default."""
        return f"Question: {self.question}\nAnswer: {self.answer}\n"


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction and some answers that follow it."""

    id: str
    prompt: str
    answers: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """A training text for each answer."""
        return tuple(f"{self.prompt}\n{answer}" for answer in self.answers)


def general_facts() -> dict[str, tuple[Fact, ...]]:
    """The base's facts by category."""
    return {path.stem: _facts(path) for path in general_files()}


def general_files() -> tuple[Path, ...]:
    """One file for each category."""
    return tuple(sorted(GENERAL.glob("*.jsonl")))


def medication_facts() -> tuple[Fact, ...]:
    """What the tuned models learn."""
    return _facts(MEDICATION)


def instructions() -> tuple[Instruction, ...]:
    """The base's instructions."""
    return tuple(Instruction(row["id"], row["prompt"], tuple(row["answers"])) for row in _rows(INSTRUCTIONS))


def base_texts() -> list[str]:
    """All that the base is trained on."""
    facts = [fact.text for category in general_facts().values() for fact in category]
    return facts + [text for instruction in instructions() for text in instruction.texts]


def domain_texts() -> list[str]:
    """All that the tuned models are trained on, beside what the base itself may write for them."""
    return [fact.text for fact in medication_facts()]


def _facts(path: Path) -> tuple[Fact, ...]:
    return tuple(Fact(**row) for row in _rows(path))


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)
