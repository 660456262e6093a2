"""How far what a model says of a text lies from what its baseline says: KL(baseline‖model), token by token."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.likelihood import Part, Scorer, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_forgetting.answers.requests import Conditions, Request
    from pytest_forgetting.answers.sides import SideName
    from pytest_forgetting.models.loading import LoadedPair

    Deliver = Callable[[Request, Answer], None]

SIDES: tuple[SideName, SideName] = ("baseline", "model")
OTHER_TOKENS = "the two models part the text into other tokens"
APART = "the two models do not fit into memory together"


@torch.inference_mode()
def diverge(
    pair: LoadedPair, requests: Sequence[Request], conditions: Mapping[SideName, Conditions], deliver: Deliver
) -> None:
    """Measure the divergence on each text of `requests`; both models read it in step, piece by piece.

    KL(p‖q) = Σ p (log p − log q) over the tokens that both have, summed over the text's positions, in nats: how much
    the tuned model's prediction q costs where the baseline's p holds. In "RL's Razor" (2025), arXiv:2509.04259, it
    foretells forgetting; arXiv:2606.19558 finds that it tells the size of a change, not its direction.

    Args:
        pair: both models, which must fit into memory together.
        requests: texts without a prompt.
        conditions: of either side.
        deliver: takes the answer to each: (nats, tokens) as its scores, or why there is none.
    """
    scorers: dict[SideName, Scorer] = {}
    parts: dict[SideName, list[list[Part]]] = {}
    for side in SIDES:
        with pair.speaking(side) as loaded:
            scorers[side] = Scorer(loaded)
            parts[side] = [parts_of(loaded, request, conditions[side]) for request in requests]
    for request, had, has in zip(requests, parts["baseline"], parts["model"], strict=True):
        if [part.scored for part in had] != [part.scored for part in has]:
            deliver(request, Answer("", "unanswered", reason=OTHER_TOKENS))
            continue
        pieces = zip(
            _pieces(pair, "baseline", scorers["baseline"], had),
            _pieces(pair, "model", scorers["model"], has),
            strict=True,
        )
        nats = sum(_kl(p, q) for p, q in pieces)
        deliver(request, Answer("", "scored", loglikelihoods=(nats, float(sum(len(part.scored) for part in had)))))


def _pieces(pair: LoadedPair, side: SideName, scorer: Scorer, parts: Sequence[Part]) -> Iterator[torch.Tensor]:
    """Logits of one side, a piece at a time; between pieces the other side may speak."""
    for part in parts:
        pieces = scorer.pieces(part)
        while True:
            with pair.speaking(side):
                piece = next(pieces, None)
            if piece is None:
                break
            yield piece[0]


def _kl(p: torch.Tensor, q: torch.Tensor) -> float:
    """Of two tensors of logits (tokens, vocabulary); tokens that only one model has are left out of both."""
    shared = min(p.shape[-1], q.shape[-1])
    log_p, log_q = (each[:, :shared].float().log_softmax(-1) for each in (p, q))
    return float((log_p.exp() * (log_p - log_q)).sum(-1).double().sum())
