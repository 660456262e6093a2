"""Sampling answers in the place of the likeliest one, so that the same request always draws the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from pytest_forgetting.answers.requests import seed_of

if TYPE_CHECKING:
    from pytest_forgetting.answers.requests import Draw, Request


@dataclass(frozen=True, slots=True)
class Sampler:
    """Draws the tokens of one answer. What it draws does not depend on other rows, batches, or the device."""

    seed: bytes
    temperature: float

    def draw(self, logits: torch.Tensor, step: int) -> int:
        """A token id, by its probability at this temperature.

        By inverting the distribution function at one uniform number per step. Two models that are asked the same
        prompt share those numbers, so that they differ in what they draw only as far as their probabilities do.

        Args:
            logits: of the next token, (vocabulary).
            step: how many tokens were drawn before.
        """
        # On the CPU in double precision: sums over a large vocabulary are not rounded otherwise on another device.
        precise = logits.cpu().double()
        # Less the largest, so that no temperature is too small to divide by.
        reached = torch.softmax((precise - precise.max()) / self.temperature, -1).cumsum(-1)
        place = int(torch.searchsorted(reached, reached[-1] * _uniform(self.seed, step), right=True))
        return min(place, len(reached) - 1)


def sampler_for(request: Request, draw: Draw) -> Sampler:
    """What draws one sample: its seed comes from the prompt and the sample's number, and from nothing else."""
    return Sampler(seed_of(request, draw), draw.temperature)


def _uniform(seed: bytes, step: int) -> float:
    """A number in [0, 1) of 53 random bits, as many as a float holds."""
    digest = hashlib.sha256(seed + step.to_bytes(8, "big")).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / (1 << 53)
