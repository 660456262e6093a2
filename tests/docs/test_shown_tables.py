"""The tables in docs/suites.md: what a run says of the suites above them, where the answers are of that kind."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import scipy.optimize  # noqa: F401 - an in-process pytest would import it anew, and numpy with it
import torch

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.suites.loading import load_suite
from tests.docs.blocks import blocks
from tests.docs.world import OWN, shown
from tests.given_models import loaded
from tests.recordings import record_all, scored
from tests.tiny_models import tiny_llama

PAGE = blocks("docs/suites.md")
TABLES = [block.text for block in PAGE if block.language == "output"]
NEVER = -100.0
RIGHT = (-1.0, NEVER, NEVER)
# Of each ending the log-likelihoods of its three choices, before and now.
ENDINGS: Sequence[tuple[Sequence[float], Sequence[float]]] = [
    (RIGHT, RIGHT),
    (RIGHT, RIGHT),
    ((-0.9, NEVER, NEVER), (-20.0, NEVER, -1.0)),
    ((-9.0, NEVER, NEVER), (-38.4, -1.0, NEVER)),
    ((-3.5, NEVER, NEVER), (-15.6, NEVER, -1.0)),
    (RIGHT, RIGHT),
    (RIGHT, RIGHT),
    ((NEVER, -1.0, NEVER), (NEVER, -1.0, NEVER)),
]
RIGHT_SAMPLES = [(10, 9), (10, 0), (4, 0)]
SAMPLES = [(" Lily.", "x"), ("park. They met a", "thetttpe at"), ("happy", "x")]


def written(folder: Path, name: str) -> Path:
    """A suite of the page, as a file."""
    path = folder / name
    path.write_text(next(block.text for block in PAGE if block.title == name), encoding="utf-8")
    return path


def told(pytester: pytest.Pytester, suite: Path, *sides: str) -> str:
    """What a run says from the table on."""
    result = pytester.runpytest_inprocess(*sides, suite.name, "--device=cpu", *OWN)
    lines = result.outlines
    first = next(at for at, line in enumerate(lines) if line.startswith("suite "))
    last = next(at for at, line in enumerate(lines) if " retained, " in line)
    return "\n".join(lines[first : last + 1])


def masked(text: str) -> str:
    """Without figures and the width of columns, which are those of the models that were measured."""
    return re.sub(r" {2,}", "  ", re.sub(r"[−+]?\d+(\.\d+)?(?= |$|,|;)", "#", text))


def test_the_table_of_choices(pytester: pytest.Pytester) -> None:
    """Word by word and figure by figure."""
    suite = written(pytester.path, "story_endings.yaml")
    cases = [case.id for case in load_suite(suite).cases]
    for at, name in enumerate(("old.json", "new.json")):
        record_all(pytester.path / name, suite, {c: scored(*e[at]) for c, e in zip(cases, ENDINGS, strict=True)})
    assert shown(told(pytester, suite, "--model=new.json", "--baseline=old.json"), TABLES[0])


def test_the_table_of_texts(pytester: pytest.Pytester) -> None:
    """Word by word; the figures are those of two story models."""
    suite = written(pytester.path, "stories.yaml")
    tiny_llama(pytester.path / "base", initializer_range=0.02)
    model, tokenizer = loaded(pytester.path / "base")
    with torch.no_grad():
        model.lm_head.weight.normal_(std=2)
    model.save_pretrained(pytester.path / "noisy")
    tokenizer.save_pretrained(pytester.path / "noisy")
    said = told(pytester, suite, "--model=./noisy", "--baseline=./base")
    assert shown(masked(said), masked(TABLES[1]))


def test_the_table_of_samples(pytester: pytest.Pytester) -> None:
    """Word by word; the figures are those of two story models."""
    suite = written(pytester.path, "story_samples.yaml")
    cases = [case.id for case in load_suite(suite).cases]
    for at, name in enumerate(("old.json", "new.json")):
        answers = {}
        for case, counts, (good, bad) in zip(cases, RIGHT_SAMPLES, SAMPLES, strict=True):
            right = counts[at]
            answers[case] = [Answer(good if n < right else bad, "length") for n in range(10)]
        record_all(pytester.path / name, suite, answers)
    said = told(pytester, suite, "--model=new.json", "--baseline=old.json")
    assert shown(masked(said), masked(TABLES[2]))
