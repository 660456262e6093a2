"""What tests of answers share: asking one tiny model, and what transformers itself says of a text."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.asking import ask
from pytest_forgetting.answers.requests import Conditions, Request
from pytest_forgetting.models.loading import LoadedModel, LoadedPair, LoadOptions
from pytest_forgetting.models.references import resolve

PLAIN = Conditions("f", None)


def speaking(folder: Path) -> AbstractContextManager[LoadedModel]:
    """The model in `folder`, ready to be asked."""
    return LoadedPair({"model": resolve(str(folder))}, LoadOptions(device="cpu")).speaking("model")


def answers(
    loaded: LoadedModel, asked: Sequence[Request], batch_size: int | None = None, conditions: Conditions = PLAIN
) -> list[Answer]:
    """Ask in batches; the answers in the order of `asked`."""
    found: dict[int, Answer] = {}
    ask(loaded, asked, conditions, found.update, batch_size)
    return [found[n] for n in range(len(asked))]


@torch.no_grad()
def logits(model: Any, ids: Sequence[int]) -> torch.Tensor:
    """What `model` says behind each of `ids`, unbatched and in one forward pass: (tokens, vocabulary), in float64."""
    # Logits have no type.
    return model(input_ids=torch.tensor([list(ids)])).logits[0].double()  # type: ignore[no-any-return]


def loglikelihood(model: Any, before: Sequence[int], scored: Sequence[int]) -> float:
    """The log-likelihood of the tokens `scored` behind `before`, in nats, from one plain forward pass."""
    logs = logits(model, [*before, *scored]).log_softmax(-1)
    return sum(float(logs[len(before) + n - 1, token]) for n, token in enumerate(scored))


def divergence(baseline: Any, model: Any, ids: Sequence[int]) -> float:
    """KL(baseline‖model) in nats, summed over all of `ids` but the first, from both models' logits over the whole."""
    p, q = (logits(each, ids[:-1]) for each in (baseline, model))
    shared = min(p.shape[-1], q.shape[-1])
    log_p, log_q = p[:, :shared].log_softmax(-1), q[:, :shared].log_softmax(-1)
    return float((log_p.exp() * (log_p - log_q)).sum())
