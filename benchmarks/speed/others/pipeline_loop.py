"""One model through transformers' text-generation pipeline, one prompt at a time.

python pipeline_loop.py MODEL PROMPTS.jsonl NEW_TOKENS OUT.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from transformers import pipeline


def main(model: str, prompts: str, new_tokens: str, out: str) -> None:
    """Ask, grade as the loop does (the right answer stands somewhere in the text), and write."""
    speak = pipeline("text-generation", model=model, device_map="auto", max_new_tokens=int(new_tokens))
    texts, right = {}, 0
    for line in Path(prompts).read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        whole = speak(case["prompt"], do_sample=False)[0]["generated_text"]
        text = whole[len(case["prompt"]) :].strip()
        right += case["answer"].lower() in text.lower()
        texts[case["id"]] = text
    print(f"accuracy {right / len(texts):.3f}")
    Path(out).write_text(json.dumps(texts), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
