"""Two models asked by the package's own decoding; only answering is timed.

    python -m benchmarks.speed.package_answers BASE TUNED PROMPTS.jsonl NEW_TOKENS OUT.json DRAFTS

DRAFTS is `drafts` (the base's answers are drafts of the other's, as in a run) or `no-drafts`.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.asking_models import answers_of
from benchmarks.speed.setting import rows_in
from pytest_forgetting.models.loading import LoadedPair, LoadOptions
from pytest_forgetting.models.references import resolve

if TYPE_CHECKING:
    from pytest_forgetting.answers.answer import Answer
    from pytest_forgetting.answers.sides import SideName

SIDES: tuple[SideName, SideName] = ("baseline", "model")
WARM_UP = 8
"""Prompts that are asked before the clock starts."""


def main(base: str, tuned: str, prompts: str, new_tokens: str, out: str, drafts: str) -> None:
    """Load, warm up, time, write."""
    cases, limit = rows_in(Path(prompts)), int(new_tokens)
    asked = [case["prompt"] for case in cases]
    pair = LoadedPair({"baseline": resolve(base), "model": resolve(tuned)}, LoadOptions("cpu", "float32"))
    assert pair.fits_together()
    answers, seconds = {}, {}
    said: list[Answer] = []
    for side in SIDES:
        with pair.speaking(side) as loaded:
            answers_of(loaded, asked[:WARM_UP], limit)
            started = time.perf_counter()
            known = {n: each.tokens for n, each in enumerate(said) if each.tokens} if drafts == "drafts" else None
            said = answers_of(loaded, asked, limit, known)
            seconds[side] = time.perf_counter() - started
        answers.update({f"{side} {case['id']}": each.text.strip() for case, each in zip(cases, said, strict=True)})
    Path(out).write_text(json.dumps({"seconds": seconds, "answers": answers}), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
