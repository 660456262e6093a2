"""What each demo model keeps of the base and learns of the domain: ``python benchmarks/demo_models.py [--seeds 3]``.

Trains the base once and every other demo model anew for each seed (about 20 minutes on two cores), in a folder that is
gone afterwards. Prints one row for each model (share of right answers on general_qa and on medication, the drop on
general_qa, seconds of training, trainable parameters; mean and lowest … highest over the seeds), and how far each kind
of module moved, relative to its weights in the base.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from time import perf_counter
from typing import Any, NamedTuple

import torch
from tabulate import tabulate
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.cache import VARIABLE
from pytest_forgetting.demo import NAMES, prepare
from pytest_forgetting.grading.grade import grade
from pytest_forgetting.suites.cases import Case, Suite
from pytest_forgetting.suites.loading import load_suite
from pytest_forgetting.training.tuned import read_tuned

SUITES = Path(__file__).parents[1] / "example_suites"
MODULES = ("embed_tokens", "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "norm")


class Measured(NamedTuple):
    """One training."""

    general: float
    target: float
    drop: float
    seconds: float
    trainable: int
    drift: dict[str, float]


def loaded(folder: Path) -> Any:
    """A checkpoint, or an adapter merged into its base."""
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype="float32")
    return model


def answers(folder: Path, suite: Suite) -> list[Answer]:
    """Greedy answers to all of `suite`, in one batch, by transformers alone."""
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    batch = tokenizer([case.prompt.text for case in suite.cases], return_tensors="pt", padding=True)
    limit = max(case.prompt.max_new_tokens for case in suite.cases)
    with torch.inference_mode():
        written = loaded(folder).generate(**batch, max_new_tokens=limit)[:, batch["input_ids"].shape[1] :]
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


def drift(base: Path, folder: Path) -> dict[str, float]:
    """How far the weights of each kind of module moved: norm of the change by the norm in the base."""
    before, after = _weights(base), _weights(folder)
    changes: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for name, weight in before.items():
        kind = next(module for module in MODULES if module in name)
        changes[kind][0] += float((after[name] - weight).pow(2).sum())
        changes[kind][1] += float(weight.pow(2).sum())
    return {kind: (changed / whole) ** 0.5 for kind, (changed, whole) in changes.items()}


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    model = loaded(folder)
    if (folder / "adapter_config.json").exists():
        from peft import PeftModel

        model = PeftModel.from_pretrained(loaded(prepare("base")), folder).merge_and_unload()
    return {name: weight.detach() for name, weight in model.named_parameters()}


def measured(name: str, seed: int) -> Measured:
    """Train demo:`name`, unless it is the base, and measure it."""
    base = prepare("base")
    start = perf_counter()
    folder = base if name == "base" else prepare(name, seed)
    seconds = perf_counter() - start
    general, target = (accuracy(folder, load_suite(SUITES / f"{suite}.yaml")) for suite in ("general_qa", "medication"))
    before = accuracy(base, load_suite(SUITES / "general_qa.yaml"))
    trainable = 0 if name == "base" else read_tuned(folder).manifest["parameters"]["trainable"]
    return Measured(general, target, before - general, seconds, trainable, drift(base, folder))


def spread(values: Sequence[float], scale: float = 100, digits: int = 1) -> str:
    """Mean, and the lowest and highest where they differ."""
    low, middle, high = (f"{value * scale:.{digits}f}" for value in (min(values), mean(values), max(values)))
    return middle if low == high else f"{middle} ({low} … {high})"


def row(name: str, runs: Sequence[Measured]) -> list[str]:
    """One line of the table."""
    shares = [spread([getattr(run, what) for run in runs]) for what in ("general", "target", "drop")]
    return [name, *shares, spread([run.seconds for run in runs], 1, 0), f"{runs[0].trainable:,}"]


def main() -> None:
    """Train, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--models", nargs="+", choices=NAMES, default=NAMES)
    chosen = parser.parse_args()
    logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as folder:
        os.environ[VARIABLE] = folder
        runs: dict[str, list[Measured]] = {}
        for name in chosen.models:
            runs[name] = [measured(name, seed) for seed in range(1 if name == "base" else chosen.seeds)]
            print("  ".join(row(name, runs[name])), flush=True)
    heads = ["model", "general, %", "medication, %", "drop, points", "seconds", "trainable"]
    print(f"\n{tabulate([row(*each) for each in runs.items()], heads, tablefmt='github', disable_numparse=True)}\n")
    tuned = {name: its for name, its in runs.items() if name != "base"}
    moved = {name: [mean(run.drift[kind] for run in its) for kind in MODULES] for name, its in tuned.items()}
    drifts = [[name, *(f"{share:.3f}" for share in shares)] for name, shares in moved.items()]
    print(tabulate(drifts, ["drift", *MODULES], tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
