"""pyrecall's two snapshots and their comparison, on cases of one's own instead of the built-in ones.

    python pyrecall_snapshots.py BASE TUNED PROMPTS.jsonl OUT.json

Snapshots always score the reference answer and generate 200 tokens, one prompt at a time.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyrecall.model
from pyrecall.benchmarks import CustomBenchmarkManager
from pyrecall.detector import ForgettingDetector


def main(base: str, tuned: str, prompts: str, out: str) -> None:
    """Snapshot, compare, write."""
    cases = [json.loads(line) for line in Path(prompts).read_text(encoding="utf-8").splitlines()]
    rows = [{"prompt": case["prompt"], "reference_answer": case["answer"]} for case in cases]
    file = Path(out).with_name("cases.jsonl")
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    CustomBenchmarkManager().add(file)
    pyrecall.model.DEFAULT_BENCHMARKS = []
    answers, snapshots = {}, []
    for side, path in (("baseline", base), ("model", tuned)):
        taken = pyrecall.model.Model(path, device="cpu").snapshot(side, dry_run=True)
        snapshots.append(taken)
        for case, score in zip(cases, taken.scores, strict=True):
            answers[f"{side} {case['id']}"] = score.response.strip().replace("[no response]", "")
    print(ForgettingDetector().compare(*snapshots).to_markdown())
    Path(out).write_text(json.dumps(answers), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
