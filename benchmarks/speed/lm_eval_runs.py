"""lm-evaluation-harness as its users run it: once for each model, from the command line, with a task in YAML."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.speed.measuring import Answers
from benchmarks.speed.ours import SIDES
from benchmarks.speed.processes import Run, environment, run
from benchmarks.speed.setting import CHOICES, CLOZE, Setting

NEW_TOKENS = 24
BATCH_SIZE = 64
ASKED: dict[str, dict[str, Any]] = {
    CLOZE: {
        "output_type": "generate_until",
        "doc_to_text": "prompt",
        "doc_to_target": "answer",
        "generation_kwargs": {"until": ["\n"], "max_gen_toks": NEW_TOKENS, "do_sample": False},
        "metric_list": [{"metric": "exact_match"}],
    },
    CHOICES: {
        "output_type": "multiple_choice",
        "doc_to_text": "context",
        "doc_to_target": "gold",
        "doc_to_choice": "choices",
        "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}],
    },
}


@dataclass(frozen=True)
class LmEval:
    """Two runs of `lm_eval`, of the base and of the fine-tune."""

    setting: Setting
    folder: Path
    task: str

    @classmethod
    def on(cls, setting: Setting, task: str) -> LmEval:
        """Write the task."""
        folder = setting.folder(f"lm_eval_{task}")
        files = {"test": str(setting.data(task))}
        shared = {"task": task, "dataset_path": "json", "dataset_kwargs": {"data_files": files}, "num_fewshot": 0}
        told = {**shared, "test_split": "test", **ASKED[task]}
        (folder / f"{task}.yaml").write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in told.items()))
        return cls(setting, folder, task)

    def run(self) -> list[Run]:
        """Both, one behind the other."""
        pair = zip(SIDES, (self.setting.model, self.setting.tuned), strict=True)
        return [self._one(side, model) for side, model in pair]

    def _one(self, side: str, model: Path) -> Run:
        out = self.folder / side
        shutil.rmtree(out, ignore_errors=True)
        command = [
            self.setting.python, "-m", "lm_eval", "--model", "hf", "--model_args",
            f"pretrained={model},dtype=float32", "--tasks", self.task, "--include_path", str(self.folder),
            "--batch_size", str(BATCH_SIZE), "--device", "cpu", "--log_samples", "--output_path", str(out),
        ]  # fmt: skip
        return run(command, self.folder, environment(self.setting.work))

    def texts(self) -> Answers:
        """Generated texts, less blanks around them."""
        return self._read(lambda sample: str(sample["filtered_resps"][0]).strip())

    def choices(self) -> Answers:
        """The likeliest choice in each case."""
        return self._read(lambda sample: str(_largest([float(value[0]) for value in sample["filtered_resps"]])))

    def _read(self, answer: Callable[[dict[str, Any]], str]) -> Answers:
        found = {}
        for side in SIDES:
            (path,) = (self.folder / side).rglob("samples_*.jsonl")
            samples = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            found.update({f"{side} {sample['doc']['id']}": answer(sample) for sample in samples})
        return found


def _largest(values: Sequence[float]) -> int:
    return max(range(len(values)), key=values.__getitem__)
