"""Whether an adapter does anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from pytest_forgetting.answers.prompting import Refused, prompt_ids, scored_ids

if TYPE_CHECKING:
    from pytest_forgetting.answers.requests import Conditions, Request
    from pytest_forgetting.models.loading import LoadedModel


@torch.inference_mode()
def adapter_changes_logits(loaded: LoadedModel, requests: Sequence[Request], conditions: Conditions) -> bool:
    """Whether any logit on any of `requests` differs between adapter on and off.

    An adapter whose weights are zero, or that was saved for modules it does not reach, leaves every bit as it was; a
    comparison with its base would then compare the base with itself.
    """
    for request in requests:
        try:
            prompt = _read(loaded, request, conditions)
        except Refused:
            continue
        ids = torch.tensor([prompt], device=loaded.model.device)
        tuned = loaded.model(input_ids=ids).logits
        with loaded.model.disable_adapter():
            base = loaded.model(input_ids=ids).logits
        if tuned.shape != base.shape or not torch.equal(tuned, base):
            return True
    return False


def _read(loaded: LoadedModel, request: Request, conditions: Conditions) -> list[int]:
    """What the model reads; of a text to be scored not its beginning alone, on which attention has no choice."""
    if not request.continuations:
        return prompt_ids(loaded, request, conditions)
    before, scored = scored_ids(loaded, request, conditions)[0]
    return (before + scored)[: loaded.context_length]
