"""What the demo's tunings leave of the base, over five seeds: ``python benchmarks/demo_seeds.py FOLDER``.

Trains the base once, then demo:full and demo:replay for each seed, with FOLDER as the cache (about seven minutes on
two cores), and prints the share of right answers by suite. Nothing outside FOLDER is written.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.cache import VARIABLE
from pytest_forgetting.demo import prepare
from pytest_forgetting.grading.grade import grade
from pytest_forgetting.suites.cases import Case, Suite
from pytest_forgetting.suites.loading import load_suite

SUITES = Path(__file__).parents[1] / "example_suites"
SEEDS = range(5)


def answers(folder: Path, suite: Suite) -> list[Answer]:
    """Greedy answers to all of `suite`, in one batch, by transformers alone."""
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype="float32")
    batch = tokenizer([case.prompt.text for case in suite.cases], return_tensors="pt", padding=True)
    limit = max(case.prompt.max_new_tokens for case in suite.cases)
    with torch.inference_mode():
        written = model.generate(**batch, max_new_tokens=limit)[:, batch["input_ids"].shape[1] :]
    texts = tokenizer.batch_decode(written, skip_special_tokens=True)
    ended = [tokenizer.eos_token_id in ids for ids in written.tolist()]
    return [answer(case, text, end) for case, text, end in zip(suite.cases, texts, ended, strict=True)]


def answer(case: Case, text: str, ended: bool) -> Answer:
    """`text` up to the first stop string."""
    for stop in case.prompt.text_stop:
        text = text.split(stop)[0]
    return Answer(text, "eos" if ended else "length")


def accuracy(folder: Path, suite: Suite) -> float:
    """Share of right answers."""
    right = [grade(case, answer).correct for case, answer in zip(suite.cases, answers(folder, suite), strict=True)]
    return sum(right) / len(right)


def line(label: str, folder: Path, suites: list[Suite]) -> list[float]:
    """Print the accuracies of one model, and return them."""
    found = [accuracy(folder, suite) for suite in suites]
    print(f"{label:<16}" + "".join(f"{share:>22.1%}" for share in found), flush=True)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="cache for the models; made if it does not exist")
    os.environ[VARIABLE] = str(parser.parse_args().folder.resolve())
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    suites = [load_suite(path) for path in sorted(SUITES.glob("*.yaml"))]
    print(f"{'':<16}" + "".join(f"{suite.name:>22}" for suite in suites))
    line("base", prepare("base"), suites)
    for name in ("full", "replay"):
        found = [line(f"{name}, seed {seed}", prepare(name, seed), suites) for seed in SEEDS]
        print(f"{name + ', lowest':<16}" + "".join(f"{min(column):>22.1%}" for column in zip(*found, strict=False)))


if __name__ == "__main__":
    main()
