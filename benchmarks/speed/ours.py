"""Our command as a user gives it, and the answers in its report."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.speed.measuring import Answers
from benchmarks.speed.processes import Run, environment, run
from benchmarks.speed.setting import CHOICES, CLOZE, Setting

SIDES = ("baseline", "model")
FORGOT = (0, 1)
"""Exit codes of a run that could judge."""


@dataclass(frozen=True)
class Ours:
    """`pytest --model … --baseline …` on suites in a folder of their own, with a store that is set before each run."""

    setting: Setting
    folder: Path
    model: Path
    baseline: Path
    options: tuple[str, ...] = ("--device=cpu", "--dtype=float32")

    @property
    def store(self) -> Path:
        """The user's cache folder, for these runs."""
        return self.folder / "cache"

    def with_suite(self, name: str, suite: dict[str, Any], rows: Path) -> Ours:
        """Write a suite and its cases into the folder."""
        shutil.copyfile(rows, self.folder / f"{name}.jsonl")
        text = "".join(f"{key}: {json.dumps(value)}\n" for key, value in suite.items())
        (self.folder / f"{name}.yaml").write_text(text)
        return self

    def run(self, model: Path | None = None) -> list[Run]:
        """Run the command; with another model than the fine-tune, if one is given."""
        pair = ["--model", str(model or self.model), "--baseline", str(self.baseline)]
        command = [self.setting.python, "-m", "pytest", ".", *pair, *self.options, "--forgetting-report=report.json"]
        (self.folder / "report.json").unlink(missing_ok=True)
        variables = environment(self.setting.work, PYTEST_FORGETTING_CACHE=str(self.store))
        return [run(command, self.folder, variables, FORGOT)]

    def empty(self) -> None:
        """Forget all answers and fingerprints."""
        shutil.rmtree(self.store, ignore_errors=True)

    def fill(self, kept: Path) -> None:
        """Take the store as it is in `kept`."""
        self.empty()
        shutil.copytree(kept, self.store)

    def filled(self, kept: Path, model: Path | None = None) -> Path:
        """Run once from nothing, and keep the store that comes of it."""
        self.empty()
        self.run(model)
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.store, kept)
        return kept

    def cases(self) -> list[dict[str, Any]]:
        """Of the latest report."""
        found: list[dict[str, Any]] = json.loads((self.folder / "report.json").read_text())["cases"]
        return found

    def texts(self, suite: str) -> Answers:
        """Answers to a suite, less blanks around them."""
        cases = [case for case in self.cases() if case["suite"] == suite]
        return {f"{side} {case['id']}": case[side]["answer"].strip() for side in SIDES for case in cases}

    def choices(self) -> Answers:
        """The choice by log-likelihood in each case."""
        return {f"{side} {case['id']}": str(case[side]["picks"]["acc"]) for side in SIDES for case in self.cases()}


def cloze(setting: Setting, name: str, new_tokens: int, stop: Sequence[str] = ()) -> Ours:
    """The name-cloze cases, asked for `new_tokens` tokens."""
    suite = {"forgetting": "qa", "name": CLOZE, "match": "word", "max_new_tokens": new_tokens, "stop": list(stop)}
    ours = Ours(setting, setting.folder(name), setting.tuned, setting.model)
    return ours.with_suite(CLOZE, {**suite, "source": f"{CLOZE}.jsonl"}, setting.data(CLOZE))


def next_sentence(setting: Setting, name: str) -> Ours:
    """Four choices of a next sentence."""
    source = {"path": f"{CHOICES}.jsonl", "fields": {"prompt": "context", "correct_answer": "gold"}}
    ours = Ours(setting, setting.folder(name), setting.tuned, setting.model)
    return ours.with_suite(CHOICES, {"forgetting": "choice", "name": CHOICES, "source": source}, setting.data(CHOICES))
