"""Which weights a model's answers hang on: the diagonal of the Fisher information.

F_i = E_x E_{y ~ p(y|x)} [(d log p(y|x) / d theta_i)^2], by gradients of one sample at a time: the square of a batch's
mean gradient is another quantity, smaller by about the batch size (van de Ven 2025, arXiv:2502.11756).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import torch

from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.training.rows import NOT_LEARNED, Row

Labels = Literal["all", "sample", "pred", "true"]
"""Where y comes from. ``all``: the expectation over every y, exact, with a backward pass for each class of each
position. ``sample``: one drawn from the model. ``pred``: its most likely one. ``true``: the data's own, which gives
the *empirical* Fisher."""
Output = tuple[torch.Tensor, torch.Tensor]
"""Of one sample: logits (positions, classes), with a graph, and the data's own labels (positions,)."""


def fisher(
    weights: Mapping[str, torch.Tensor], outputs: Iterable[Output], labels: Labels = "sample"
) -> dict[str, torch.Tensor]:
    """The diagonal Fisher information of `weights`, one float32 tensor of each one's shape.

    Of a text, log p is the sum over its positions. Given what stands before them, labels of different positions are
    drawn independently and each score has mean zero, so for ``all`` the squares of the positions add up.

    Args:
        weights: each with gradients; their ``.grad`` is neither read nor written.
        outputs: one sample after the other; divided by as many as there really are.
        labels: where y comes from; ``sample`` draws on torch's random state.

    Raises:
        WrongUsage: there is no sample.
    """
    sums = {name: torch.zeros_like(weight, dtype=torch.float32) for name, weight in weights.items()}
    seen = 0
    for logits, targets in outputs:
        for weighting, score in _scores(torch.log_softmax(logits.float(), dim=-1), targets, labels):
            slopes = torch.autograd.grad(score, list(weights.values()), retain_graph=True, allow_unused=True)
            for total, slope in zip(sums.values(), slopes, strict=True):
                if slope is not None:
                    total += weighting * slope.float().pow(2)
        seen += 1
    if not seen:
        raise WrongUsage("Fisher information: there is no sample to take it from")
    return {name: total / seen for name, total in sums.items()}


def of_texts(model: Any, rows: Sequence[Row]) -> Iterator[Output]:
    """What a causal language model says of each row at the positions that are learned."""
    for row in rows:
        ids = torch.tensor([row["input_ids"]], device=model.device)
        targets = torch.tensor(row["labels"][1:], device=model.device)
        learned = targets != NOT_LEARNED
        yield model(input_ids=ids).logits[0, :-1][learned], targets[learned]


@contextmanager
def evaluating(model: torch.nn.Module) -> Iterator[None]:
    """No dropout within the block; afterwards each module is in the mode it was in."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def _scores(log_p: torch.Tensor, targets: torch.Tensor, labels: Labels) -> Iterator[tuple[torch.Tensor | float, Any]]:
    """Weights and log-probabilities whose squared gradients make up one sample."""
    if labels == "all":
        for position in log_p:
            for score in position:
                yield score.detach().exp(), score
        return
    if labels == "sample":
        targets = torch.distributions.Categorical(logits=log_p.detach()).sample()
    elif labels == "pred":
        targets = log_p.argmax(dim=-1)
    yield 1.0, log_p.gather(-1, targets[:, None]).sum()
