"""Recordings made by hand: what two models said, without any model."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.recording import Recorded
from pytest_forgetting.answers.recording_file import write
from pytest_forgetting.answers.requests import requests_for
from pytest_forgetting.comparison.participants import Participant
from pytest_forgetting.models.source import Source
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
    return record_all(path, suite, {case: [Answer(text, "eos")] for case, text in answers.items()}, fingerprint)


def scored(*loglikelihoods: float) -> list[Answer]:
    """What a model has said to a choice case or a text."""
    return [Answer("", "scored", loglikelihoods=loglikelihoods)]


def record_all(path: Path, suite: Path, answers: Mapping[str, Sequence[Answer]], fingerprint: str | None = None) -> str:
    """The same for answers of any kind, as many to each case as it is asked for."""
    return record_suites(path, {suite: answers}, fingerprint)


def record_suites(
    path: Path, suites: Mapping[Path, Mapping[str, Sequence[Answer]]], fingerprint: str | None = None
) -> str:
    """The same for several suites, each with the answers to its cases."""
    lines = [line for suite, answers in suites.items() for line in _lines(suite, answers)]
    participant = Participant(path.stem, fingerprint or path.stem, "float32", "cpu", 1)
    write(path, Source(participant, versions={"torch": "2"}), lines)
    return str(path)


def _lines(suite: Path, answers: Mapping[str, Sequence[Answer]]) -> Iterator[Recorded]:
    loaded = load_suite(suite, known_checks=("polite",))
    silent = Answer("", "unanswered", reason="the prompt is too long")
    for case in loaded.cases:
        requests = () if case.skip is not None else requests_for(case.prompt, chat=False)
        given = answers.get(case.id, [silent] * len(requests))
        for request, answer in zip(requests, given, strict=case.skip is None):
            yield Recorded(loaded.name, case.id, request, answer)
