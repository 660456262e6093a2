"""How likely a model holds a given text: log-likelihoods, batched where texts are short, piece by piece where long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isinf, isnan
from typing import TYPE_CHECKING, Any

import torch
from transformers import DynamicCache

from pytest_forgetting.answers.answer import IMPOSSIBLE, NOT_NUMBERS, Answer
from pytest_forgetting.answers.generation import can_batch, counts_columns
from pytest_forgetting.answers.kv_cache import Reader
from pytest_forgetting.answers.planning import FIXED_STEP, padded
from pytest_forgetting.answers.prompting import Refused, scored_ids

if TYPE_CHECKING:
    from pytest_forgetting.answers.requests import Conditions, Request
    from pytest_forgetting.models.loading import LoadedModel

PIECE = 256
"""Tokens of a long text read at once: the logits of so many are held, whatever the text's length."""

LEAST_SPARED = 4
"""Tokens a row that must be spared for prompts to be read apart from what is scored behind them."""


@dataclass(slots=True, eq=False)
class Part:
    """Tokens to be scored, and those that stand before them."""

    before: list[int]
    scored: list[int]
    continuation: int = 0
    """Which of the request's continuations it belongs to."""
    loglikelihood: float | None = None
    """Of `scored` behind `before`, in nats."""

    @property
    def is_long(self) -> bool:
        """Whether it is read piece by piece."""
        return len(self.scored) > PIECE

    @property
    def shape(self) -> tuple[int, int]:
        """What parts have in common that share a batch of fixed shape: its width, and where its logits begin."""
        return padded(len(self.before) + len(self.scored) - 1), (len(self.before) - 1) // FIXED_STEP


def parts_of(loaded: LoadedModel, request: Request, conditions: Conditions) -> list[Part]:
    """Tokenise what `request` wants scored.

    A text without a prompt may be longer than the model's context: it is parted into windows in each of which as many
    tokens are scored as the context holds, so that each token is scored once (as `loglikelihood_rolling` of
    lm-evaluation-harness does).

    Raises:
        Refused: a prompt with its continuation does not fit into the context, or cannot be tokenised.
    """
    most = loaded.context_length
    parts = [Part(*ids, n) for n, ids in enumerate(scored_ids(loaded, request, conditions))]
    if most is None or all(len(part.before) + len(part.scored) <= most + 1 for part in parts):
        return parts
    if request.text == "":
        return [window for part in parts for window in _windows(part, most)]
    longest = max(len(part.before) + len(part.scored) for part in parts)
    raise Refused(f"prompt and continuation have {longest} tokens, the model's context {most}")


def _windows(part: Part, most: int) -> Iterator[Part]:
    ids = part.before + part.scored
    for start in range(1, len(ids), most):
        end = min(start + most, len(ids))
        # The last window is filled up in front, so that its tokens too have a full context.
        yield Part(ids[max(0, end - most - 1) : start], ids[start:end], part.continuation)


def answer_of(parts: Sequence[Part]) -> Answer:
    """The log-likelihoods of a request whose parts are scored."""
    sums = [0.0] * (max(part.continuation for part in parts) + 1)
    for part in parts:
        assert part.loglikelihood is not None, "the scorer returned before this part had its score"
        sums[part.continuation] += part.loglikelihood
    if any(map(isnan, sums)):
        return Answer("", "unanswered", reason=NOT_NUMBERS)
    if any(map(isinf, sums)):
        return Answer("", "unanswered", reason=IMPOSSIBLE)
    return Answer("", "scored", loglikelihoods=tuple(sums))


class Scorer:
    """Scores parts with one loaded model."""

    def __init__(self, loaded: LoadedModel, shape: int | None = None) -> None:
        """Look once at what the model's forward pass takes.

        Args:
            loaded: the model that scores.
            shape: rows to which each batch is filled up, so that all have one shape; None reads nothing in vain.
        """
        self._loaded = loaded
        self._shape = shape
        self._reader = Reader(loaded)
        self.in_pieces = can_batch(loaded.model)
        """Whether a long text can be read in pieces; else the model's state is no cache of keys and values."""

    @torch.inference_mode()
    def score(self, parts: Sequence[Part]) -> None:
        """Give every part its log-likelihood."""
        if len(parts) == 1 and parts[0].is_long:
            parts[0].loglikelihood = sum(_sum(*piece) for piece in self.pieces(parts[0]))
        elif self._shape is None and self._share(parts):
            self._score_behind_shared(parts)
        else:
            self._score_in_one_pass(parts)

    def _share(self, parts: Sequence[Part]) -> bool:
        """Whether it pays to read apart what stands before: most of it would be read more than once."""
        prompts = {tuple(part.before) for part in parts}
        spared = sum(len(part.before) for part in parts) - sum(map(len, prompts))
        width = max(len(part.before) for part in parts) + max(len(part.scored) for part in parts) - 1
        if counts_columns(self._loaded.model) and width > self._within_context(width):
            return False
        return self.in_pieces and self._reader.can_rewind and spared > LEAST_SPARED * len(parts)

    def _within_context(self, width: int) -> int:
        return min(width, self._loaded.context_length or width)

    def _score_behind_shared(self, parts: Sequence[Part]) -> None:
        """Read each prompt once, and behind it all that is scored there."""
        prompts = list(dict.fromkeys(tuple(part.before) for part in parts))
        place = {prompt: n for n, prompt in enumerate(prompts)}
        rows = [place[tuple(part.before)] for part in parts]
        read, ahead = self._reader.read([list(prompt) for prompt in prompts])
        begun = ahead[rows, -1]
        most = max(len(part.scored) for part in parts) - 1
        if most:
            read.select(rows)
            # A row of one token has nothing to be read behind it; what is read in its place is not looked at.
            behind = self._reader.go_on(read, [part.scored[:-1] or [0] for part in parts], most)
        for n, part in enumerate(parts):
            own = behind[n, : len(part.scored) - 1] if most else begun[n][None][:0]
            part.loglikelihood = _sum(torch.cat([begun[n][None], own]), part.scored)

    def _score_in_one_pass(self, parts: Sequence[Part]) -> None:
        rows = [part.before + part.scored for part in parts]
        width = max(map(len, rows)) - 1
        first = min(len(part.before) for part in parts) - 1
        if self._shape is not None:
            width, first = self._within_context(padded(width)), first // FIXED_STEP * FIXED_STEP
            rows += [rows[0]] * (self._shape - len(rows))
        # Padding stands on the right, where no token before it sees it: it needs no mask, whatever the architecture.
        ids = torch.tensor([(row[:-1] + [0] * width)[:width] for row in rows], device=self._loaded.model.device)
        logits = self._last_logits(ids, width - first)
        for part, row in zip(parts, logits[: len(parts)], strict=True):
            start = len(part.before) - 1 - first
            part.loglikelihood = _sum(row[start : start + len(part.scored)], part.scored)

    def pieces(self, part: Part, *, whole: bool = False) -> Iterator[tuple[torch.Tensor, list[int]]]:
        """Logits (tokens, vocabulary) for the scored tokens of `part`, and those tokens, a piece at a time.

        What was read is kept as keys and values only, so that memory holds the logits of one piece.

        Args:
            part: what is scored.
            whole: read it in one go, as is always done where the model cannot read in pieces.
        """
        ids, scored = part.before + part.scored, len(part.before)
        in_pieces = self.in_pieces and not whole
        cache = DynamicCache(config=self._loaded.model.config) if in_pieces else None
        step = PIECE if in_pieces else len(ids)
        for start in range(0, len(ids) - 1, step):
            read = ids[start : min(start + step, len(ids) - 1)]
            tensor = torch.tensor([read], device=self._loaded.model.device)
            kept: dict[str, Any] = {} if cache is None else {"past_key_values": cache, "use_cache": True}
            logits = self._loaded.model(input_ids=tensor, **kept).logits[0, -len(read) :]
            skipped = max(0, scored - 1 - start)  # of this piece, those that only stand before
            if skipped < len(read):
                yield logits[skipped:], ids[start + 1 + skipped : start + 1 + len(read)]

    def _last_logits(self, ids: torch.Tensor, count: int) -> torch.Tensor:
        """Logits of the last `count` positions, (rows, count, vocabulary)."""
        kept: dict[str, Any] = {"logits_to_keep": count} if "logits_to_keep" in self._reader.takes else {}
        logits: torch.Tensor = self._loaded.model(input_ids=ids, use_cache=False, **kept).logits
        return logits[:, -count:]


def _sum(logits: torch.Tensor, tokens: list[int]) -> float:
    """The log-likelihood of `tokens`, given the logits of each."""
    chosen = torch.tensor(tokens, device=logits.device)[:, None]
    precise = logits.float()
    return float((precise.gather(-1, chosen)[:, 0] - precise.logsumexp(-1)).double().sum())
