"""Two models by `model.generate`, in left-padded batches of 64 of like length; only answering is timed.

python plain_generate.py BASE TUNED PROMPTS.jsonl NEW_TOKENS OUT.json
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

BATCH = 64
WARM_UP = 8
"""Prompts that are asked before the clock starts."""


@torch.inference_mode()
def answered(model: Any, tokenizer: Any, prompts: list[str], new_tokens: int) -> list[str]:
    """Greedy texts."""
    lengths = [len(ids) for ids in tokenizer(prompts)["input_ids"]]
    order = sorted(range(len(prompts)), key=lengths.__getitem__, reverse=True)
    texts = [""] * len(prompts)
    for start in range(0, len(order), BATCH):
        places = order[start : start + BATCH]
        rows = tokenizer([prompts[n] for n in places], return_tensors="pt", padding=True)
        out = model.generate(**rows, max_new_tokens=new_tokens, do_sample=False, pad_token_id=tokenizer.pad_token_id)
        new = tokenizer.batch_decode(out[:, rows["input_ids"].shape[1] :], skip_special_tokens=True)
        for place, text in zip(places, new, strict=True):
            texts[place] = text
    return texts


def main(base: str, tuned: str, prompts: str, new_tokens: str, out: str) -> None:
    """Load, warm up, time, write."""
    cases = [json.loads(line) for line in Path(prompts).read_text(encoding="utf-8").splitlines()]
    asked, ids = [case["prompt"] for case in cases], [case["id"] for case in cases]
    tokenizer = AutoTokenizer.from_pretrained(base, padding_side="left")
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    models = {side: AutoModelForCausalLM.from_pretrained(path) for side, path in (("baseline", base), ("model", tuned))}
    answers, seconds = {}, {}
    for side, model in models.items():
        answered(model, tokenizer, asked[:WARM_UP], int(new_tokens))
        started = time.perf_counter()
        texts = answered(model, tokenizer, asked, int(new_tokens))
        seconds[side] = time.perf_counter() - started
        answers.update({f"{side} {name}": text.strip() for name, text in zip(ids, texts, strict=True)})
    Path(out).write_text(json.dumps({"seconds": seconds, "answers": answers}), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
