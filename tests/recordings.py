"""Recordings made by hand: what two models said, without any model."""

from collections.abc import Mapping
from pathlib import Path

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.requests import requests_for
from pytest_forgetting.comparison.comparison import Participant
from pytest_forgetting.models.recording import Recorded, write
from pytest_forgetting.suites.loading import load_suite

CAPITALS = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Japan": "Tokyo", "Peru": "Lima"}
SUITE = """\
forgetting: qa
name: Capitals
gate: {max_drop: 0.2}
cases:
"""


def write_capitals(folder: Path, head: str = SUITE) -> Path:
    """A suite of five questions, `capitals.yaml`."""
    rows = [f"  - {{id: {c}, question: What is the capital of {c}?, answer: {a}}}" for c, a in CAPITALS.items()]
    path = folder / "capitals.yaml"
    path.write_text(head + "\n".join(rows) + "\n")
    return path


def record(path: Path, suite: Path, answers: Mapping[str, str], fingerprint: str | None = None) -> str:
    """Write the recording `path` of a model that gives `answers` by case id, and nothing sensible else."""
    loaded = load_suite(suite, known_checks=("polite",))
    lines = [
        Recorded(
            loaded.name,
            case.id,
            requests_for(case.prompt, chat=False)[0],
            Answer(answers[case.id], "eos")
            if case.id in answers
            else Answer("", "unanswered", reason="the prompt is too long"),
        )
        for case in loaded.cases
        if case.skip is None
    ]
    participant = Participant(path.stem, fingerprint or path.stem, "float32", "cpu", 1)
    write(path, participant, None, {"torch": "2"}, lines)
    return str(path)
