"""Drafts of answers: what another model said is checked in one pass, and what this one would have said too is kept.

Speculative decoding (Leviathan et al. 2023, arXiv:2211.17192) with the baseline's answer for a draft: a tuned model
mostly answers as its baseline did. Greedy answers, and those drawn with numbers of their own, are what they would have
been without a draft, since each token is the model's own choice behind the tokens before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers.cache_utils import DynamicLayer

LEAST_ACCEPTED = 0.3
"""Share of a draft's tokens that must be right for drafts to pay; below it the rest is decoded without."""
FEWEST_JUDGED = 256
"""Tokens of drafts that are checked before drafts are given up."""


@dataclass
class Tally:
    """How drafts have fared with one model."""

    drafted: int = 0
    accepted: int = 0

    @property
    def pays(self) -> bool:
        """Whether to go on with drafts."""
        return self.drafted < FEWEST_JUDGED or self.accepted >= LEAST_ACCEPTED * self.drafted


def can_rewind(cache: Any) -> bool:
    """Whether what was read of a rejected draft can be taken out of `cache` again.

    A sliding window has dropped by then what stood before.
    """
    return all(type(layer) is DynamicLayer for layer in cache.layers)


def rewind(cache: Any, width: int, kept: Sequence[int], read: Sequence[int], valid: Sequence[int]) -> torch.Tensor:
    """Keep of each row what was read of its prompt and of the right beginning of its draft, aligned on the right.

    Args:
        cache: keys and values of `width` columns, each row's own at their right end.
        width: columns.
        kept: the rows that go on.
        read: columns at the right end that each row of `kept` has filled.
        valid: how many of those, from the left, it keeps.

    Returns:
        The attention mask (rows kept, columns kept).
    """
    columns = max(valid)
    first = [columns - count for count in valid]
    moved = [width - filled - start for filled, start in zip(read, first, strict=True)]
    layers = [layer for layer in cache.layers if layer.is_initialized]
    device = layers[0].keys.device
    places = torch.arange(columns, device=device)
    sources = (places + torch.tensor(moved, device=device)[:, None]).clamp(min=0)
    rows = torch.tensor(kept, device=device)
    for layer in layers:
        layer.keys, layer.values = (_gathered(each[rows], sources) for each in (layer.keys, layer.values))
    return (places >= torch.tensor(first, device=device)[:, None]).long()


def _gathered(states: torch.Tensor, sources: torch.Tensor) -> torch.Tensor:
    """Of (rows, heads, columns, size) the columns that `sources` (rows, columns) names."""
    rows, heads, _, size = states.shape
    return states.gather(2, sources[:, None, :, None].expand(rows, heads, sources.shape[1], size))
