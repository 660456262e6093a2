"""How far what a model says of a text lies from what its baseline says: KL(baseline‖model), token by token."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING

import torch

from pytest_forgetting.answers.answer import NOT_NUMBERS, Answer
from pytest_forgetting.answers.likelihood import Part, Scorer, parts_of
from pytest_forgetting.answers.prompting import Refused
from pytest_forgetting.models.device_memory import is_out_of_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_forgetting.answers.engine import DivergenceTask
    from pytest_forgetting.answers.requests import Conditions, Request
    from pytest_forgetting.answers.sides import SideName
    from pytest_forgetting.models.loading import LoadedModel, LoadedPair

    Deliver = Callable[[dict[int, Answer]], None]

SIDES: tuple[SideName, SideName] = ("baseline", "model")
OTHER_TOKENS = "the two models part the text into other tokens"
APART = "the two models do not fit into memory together"
OTHER_WINDOWS = "the two models' contexts differ, and the text is longer than one of them"


@torch.inference_mode()
def measure_divergence(pair: LoadedPair, task: DivergenceTask, deliver: Deliver) -> None:
    """Measure the divergence on each text of `task`; both models read it in step, piece by piece.

    KL(p‖q) = Σ p (log p − log q) over the tokens that both have, summed over the text's positions, in nats: how much
    the tuned model's prediction q costs where the baseline's p holds. In "RL's Razor" (2025), arXiv:2509.04259, it
    foretells forgetting; arXiv:2606.19558 finds that it tells the size of a change, not its direction.

    Args:
        pair: both models, which must fit into memory together.
        task: the texts, and how either side reads them.
        deliver: takes the answer to each by its position: (nats, tokens) as its scores, or why there is none. Not
            called for a text that memory does not suffice for, so that a later run may measure it.
    """
    scorers: dict[SideName, Scorer] = {}
    parts: dict[SideName, list[list[Part] | str]] = {}
    for side in SIDES:
        with pair.speaking(side) as loaded:
            scorers[side] = Scorer(loaded)
            parts[side] = [_parts(loaded, request, task.conditions[side]) for request in task.requests]
    for n, (had, has) in enumerate(zip(parts["baseline"], parts["model"], strict=True)):
        try:
            deliver({n: _measured(pair, scorers, had, has)})
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise


def _parts(loaded: LoadedModel, request: Request, conditions: Conditions) -> list[Part] | str:
    """The parts of a text, or why there are none."""
    try:
        return parts_of(loaded, request, conditions)
    except Refused as refusal:
        return str(refusal)


def _measured(
    pair: LoadedPair, scorers: Mapping[SideName, Scorer], had: list[Part] | str, has: list[Part] | str
) -> Answer:
    """The divergence on one text, from its parts on either side."""
    if isinstance(had, str) or isinstance(has, str):
        return Answer("", "unanswered", reason=had if isinstance(had, str) else str(has))
    tokens, others = ([token for part in parts for token in part.scored] for parts in (had, has))
    if tokens != others:
        return Answer("", "unanswered", reason=OTHER_TOKENS)
    if [len(part.scored) for part in had] != [len(part.scored) for part in has]:
        return Answer("", "unanswered", reason=OTHER_WINDOWS)
    whole = not all(scorer.in_pieces for scorer in scorers.values())  # in step, even where only one can read in pieces
    sides = [_pieces(pair, side, scorers[side], parts, whole) for side, parts in zip(SIDES, (had, has), strict=True)]
    nats = sum(_kl(p, q) for p, q in zip(*sides, strict=True))
    if not isfinite(nats):
        return Answer("", "unanswered", reason=NOT_NUMBERS)
    return Answer("", "scored", loglikelihoods=(nats, float(len(tokens))))


def _pieces(
    pair: LoadedPair, side: SideName, scorer: Scorer, parts: Sequence[Part], whole: bool
) -> Iterator[torch.Tensor]:
    """Logits of one side, a piece at a time; between pieces the other side may speak."""
    for part in parts:
        pieces = scorer.pieces(part, whole=whole)
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
