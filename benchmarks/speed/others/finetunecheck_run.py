"""finetunecheck's paired evaluation on a probe of one's own.

python finetunecheck_run.py BASE TUNED PROMPTS.jsonl NEW_TOKENS OUT.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from finetunecheck.config import EvalConfig
from finetunecheck.eval.runner import EvalRunner
from finetunecheck.probes.custom import CustomProbe
from finetunecheck.probes.registry import ProbeRegistry


def main(base: str, tuned: str, prompts: str, new_tokens: str, out: str) -> None:
    """Evaluate, write."""
    cases = [json.loads(line) for line in Path(prompts).read_text(encoding="utf-8").splitlines()]
    rows = [{"id": case["id"], "input": case["prompt"], "reference": case["answer"]} for case in cases]
    ProbeRegistry.register(CustomProbe.from_samples("cloze", rows, judge_type="exact_match"))
    config = EvalConfig(
        base_model=base, finetuned_model=tuned, general_probes=["cloze"], num_samples=len(rows), device="cpu",
        inference_backend="transformers", cache_baseline=False, max_tokens=int(new_tokens),
    )  # fmt: skip
    results = EvalRunner(config).run()
    print(results.verdict.value)
    answers = {}
    for side, scores in (("baseline", results.base_scores), ("model", results.ft_scores)):
        for name, verdict in zip(scores["cloze"].selected_sample_ids, scores["cloze"].sample_verdicts, strict=True):
            answers[f"{side} {name}"] = verdict.model_output
    Path(out).write_text(json.dumps(answers), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
