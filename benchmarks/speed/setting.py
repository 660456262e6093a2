"""What all benchmarks are given: models, data, interpreters, and a folder to work in."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.speed.processes import environment, run

CLOZE, CHOICES = "name_cloze", "next_sentence_4way"


@dataclass(frozen=True)
class Setting:
    """One call of the command."""

    model: Path
    """The base."""
    stories: Path
    """Folder of name_cloze.jsonl and next_sentence_4way.jsonl."""
    domain: Path
    """Text on which the base is tuned."""
    work: Path
    python: str
    """Of both sides, with lm-eval."""
    pyrecall: str | None
    """Interpreter that has it."""
    finetunecheck: str | None
    repeats: int
    cases: int
    """Of the benchmark of many cases."""

    @cached_property
    def tuned(self) -> Path:
        """The full fine-tune of the base."""
        return self.made("tuned", self.model, self.domain)

    def made(self, kind: str, *given: Path) -> Path:
        """A model, or a folder of two, that is made when it is first asked for."""
        out = self.work / kind
        command = [self.python, "-m", "benchmarks.making_models", kind, *map(str, given), str(out)]
        run(command, self.work, environment(self.work))
        return out

    def data(self, name: str) -> Path:
        """A file of cases."""
        return self.stories / f"{name}.jsonl"

    def folder(self, name: str) -> Path:
        """An empty folder."""
        path = self.work / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path


def parser_of(description: str) -> argparse.ArgumentParser:
    """What every command line of these benchmarks knows."""
    parser = argparse.ArgumentParser(description=description)
    for name, told in (("model", "folder of a small Llama"), ("stories", "folder of its cases"),
                       ("domain", "text to tune it on"), ("work", "folder for what is made on the way")):  # fmt: skip
        parser.add_argument(f"--{name}", type=lambda text: Path(text).resolve(), help=told)
    parser.add_argument("--python", default=sys.executable, help="interpreter of both sides, with lm-eval")
    parser.add_argument("--pyrecall", help="interpreter that has pyrecall; without it the row is left out")
    parser.add_argument("--finetunecheck", help="interpreter that has finetunecheck")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cases", type=int, default=100_000, help="of many-cases")
    return parser


def setting_of(chosen: argparse.Namespace) -> Setting:
    """Checked: what is missing is told, and ends the program."""
    missing = [f"--{name}" for name in ("model", "stories", "domain", "work") if getattr(chosen, name) is None]
    if missing:
        sys.exit(f"missing: {' '.join(missing)}")
    (chosen.work / "home").mkdir(parents=True, exist_ok=True)
    return Setting(**{name: getattr(chosen, name) for name in Setting.__dataclass_fields__})


def rows_in(path: Path) -> list[dict[str, Any]]:
    """Of a .jsonl file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """The same back."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
