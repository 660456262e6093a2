"""Which files are taken for suites, and which are meant to be some."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_forgetting.suites.detection import is_misspelt_suite, is_suite
from pytest_forgetting.suites.sources import holds_questions


def written(folder: Path, text: str, name: str = "s.yaml") -> Path:
    """A file that holds `text`."""
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


@pytest.mark.parametrize("key", ["Forgetting", "FORGETTING", "foregtting", "forgeting", "forgettting", "forgettin"])
def test_a_key_that_can_only_be_meant_for_ours_is_known(tmp_path: Path, key: str) -> None:
    """Other case, two letters changed over, one left out or one too many."""
    path = written(tmp_path, f"name: A\n{key}: qa\n")
    assert is_misspelt_suite(path)
    assert not is_suite(path)


@pytest.mark.parametrize(
    "text", ["forget: qa\n", "formatting: x\n", "x:\n  foregtting: qa\n", "- forgeting\n", "", "getforting: x\n"]
)
def test_other_keys_are_somebody_elses(tmp_path: Path, text: str) -> None:
    """A word that is merely like it, or that stands deeper."""
    assert not is_misspelt_suite(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('{"question": "a", "answer": "b"}\n', True),
        ('{"prompt": "a", "target": "b"}\n', True),
        ('{"text": "a"}\n', False),
        ('{"messages": []}\n', False),
        ("", False),
    ],
)
def test_questions_with_answers_are_known(tmp_path: Path, text: str, holds: bool) -> None:
    """By the first line, as training data may lie beside suites."""
    assert holds_questions(written(tmp_path, text, "q.jsonl")) is holds
