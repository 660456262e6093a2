"""Outcomes that rounding may have decided: they are asked again before they count."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from pytest_forgetting.comparison.outcomes import CaseResult
from pytest_forgetting.comparison.participants import Finding, Participant

NEAR = 1e-3
"""Logits that lie nearer than this are near ties. In float32 the order of a sum moves a logit by about 1e-5."""
HALF = ("bfloat16", "float16")
"""Types in which a batch of another shape changes a word in a fifth to a third of short answers (of a tiny model)."""


def is_half(*participants: Participant) -> bool:
    """Whether one of them computes in half precision."""
    return any(each.dtype in HALF for each in participants)


def is_doubtful(result: CaseResult, *, half_precision: bool) -> bool:
    """Whether the two sides' grades differ, and rounding alone could have made them differ.

    Forgotten and learned cases alike: to doubt only one kind would shift the drop.

    Args:
        result: of a case asked once.
        half_precision: whether either side computes in a type of `HALF`.
    """
    if not (result.baseline.answered and result.model.answered) or result.baseline.share == result.model.share:
        return False
    return half_precision or _gap(result) < NEAR


def confirmation(results: Sequence[CaseResult], *, half_precision: bool) -> Finding | None:
    """What became of the doubtful outcomes among `results`; None where there was none."""
    again = [result for result in results if result.first is not None]
    left = [r for r in results if r.first is None and is_doubtful(r, half_precision=half_precision)]
    why = "half precision rounds" if half_precision else "their likeliest tokens were near ties"
    if left:
        return Finding(
            "confirm",
            "warning",
            f"{_cases(left)} differ perhaps by rounding only, and could not be asked again ({why})",
        )
    if not again:
        return None
    noise = sum(result.outcome != result.first for result in again)
    told = f"{_cases(again)} whose grades differed were asked again, all in batches of one shape, as {why}"
    return Finding("confirm", "info", f"{told}: {len(again) - noise} confirmed, {noise} numeric noise")


def _cases(results: Sequence[CaseResult]) -> str:
    return f"{len(results)} case{'s' * (len(results) != 1)}"


def _gap(result: CaseResult) -> float:
    return min((graded.gap for graded in (result.baseline, result.model) if graded.gap is not None), default=inf)
