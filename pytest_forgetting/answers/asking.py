"""Asking one loaded model many requests, batch by batch, whatever the memory allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.batches import run_in_batches
from pytest_forgetting.answers.generation import Decoder, Row
from pytest_forgetting.answers.likelihood import Part, Scorer, answer_of, parts_of
from pytest_forgetting.answers.memory import batch_size_for, scored_batch_size_for
from pytest_forgetting.answers.prompting import Refused, row_for

if TYPE_CHECKING:
    from pytest_forgetting.answers.requests import Conditions, Request
    from pytest_forgetting.models.loading import LoadedModel

Deliver = Callable[[dict[int, Answer]], None]
"""Takes answers by the position of their request, batch by batch as they are done."""


def ask(
    loaded: LoadedModel,
    requests: Sequence[Request],
    conditions: Conditions,
    deliver: Deliver,
    batch_size: int | None = None,
) -> None:
    """Answer or score all `requests` and hand over the answers as each batch ends.

    Args:
        loaded: the model that answers.
        requests: what it is asked.
        conditions: chat template and what else the answers depend on.
        deliver: called once per batch, so that nothing answered is lost by what comes later.
        batch_size: rows at once; None finds it from free memory and the longest row.

    Raises:
        CannotAnswer: not even a single row fits into memory.
    """
    speaking, scoring = Speaking(loaded, deliver), Scoring(loaded, deliver)
    unasked = {}
    for n, request in enumerate(requests):
        job = scoring if request.continuations else speaking
        if (refused := job.take(n, request, conditions)) is not None:
            unasked[n] = refused
    if unasked:
        deliver(unasked)
    run_in_batches(speaking.rows, speaking, batch_size)
    # Long texts one by one and piece by piece: of a batch of them all logits would have to be held.
    run_in_batches([part for part in scoring.parts if part.is_long], scoring, 1)
    run_in_batches([part for part in scoring.parts if not part.is_long], scoring, batch_size)


class Speaking:
    """The job of answering: a row is one request."""

    def __init__(self, loaded: LoadedModel, deliver: Deliver) -> None:
        """Nothing is asked yet."""
        self._loaded = loaded
        self._decoder = Decoder(loaded)
        self._deliver = deliver
        self._place: dict[int, int] = {}
        self.rows: list[Row] = []

    def take(self, place: int, request: Request, conditions: Conditions) -> Answer | None:
        """Take in the request at `place`; the answer, where it is one before the model was asked."""
        row = row_for(self._loaded, request, conditions)
        if row.answer is None:
            self.rows.append(row)
            self._place[id(row)] = place
        return row.answer

    def length(self, row: Row) -> int:
        """Tokens of prompt and answer at their longest."""
        return len(row.prompt) + row.limit

    def most(self, rows: Sequence[Row]) -> int:
        """As many as there is room for rows like the longest."""
        return batch_size_for(self._loaded, self.length(rows[0]))

    def run(self, batch: Sequence[Row]) -> None:
        """Decode `batch`."""
        self._decoder.decode(batch)

    def reset(self, row: Row) -> None:
        """Forget what was decoded."""
        row.begin_anew()

    def done(self, batch: Sequence[Row]) -> None:
        """Hand over the answers."""
        self._deliver({self._place[id(row)]: row.answer for row in batch if row.answer is not None})

    def too_long(self, row: Row) -> str:
        """What to say where not even this row alone fits into memory."""
        return (
            f"a prompt of {len(row.prompt)} tokens with up to {row.limit} new ones does not"
            " fit even alone; use a smaller max_new_tokens, another --device, or --dtype bfloat16"
        )


class Scoring:
    """The job of scoring: a request has a part for each of its continuations, or for each window of a long text."""

    def __init__(self, loaded: LoadedModel, deliver: Deliver) -> None:
        """Nothing is asked yet."""
        self._loaded = loaded
        self._scorer = Scorer(loaded)
        self._deliver = deliver
        self._place: dict[int, int] = {}
        self._parts: dict[int, list[Part]] = {}
        self.parts: list[Part] = []

    def take(self, place: int, request: Request, conditions: Conditions) -> Answer | None:
        """Take in the request at `place`; the answer, where it is one before the model was asked."""
        try:
            parts = parts_of(self._loaded, request, conditions)
        except Refused as refusal:
            return Answer("", "unanswered", reason=str(refusal))
        self.parts += parts
        self._parts[place] = parts
        self._place.update((id(part), place) for part in parts)
        return None

    def length(self, part: Part) -> int:
        """Tokens of what is scored and what stands before it."""
        return len(part.before) + len(part.scored)

    def most(self, parts: Sequence[Part]) -> int:
        """As many of the first as there is room for."""
        return scored_batch_size_for(self._loaded, [(len(part.before), len(part.scored)) for part in parts])

    def run(self, batch: Sequence[Part]) -> None:
        """Score `batch`."""
        self._scorer.score(batch)

    def reset(self, part: Part) -> None:
        """Forget what was scored."""
        part.loglikelihood = None

    def done(self, batch: Sequence[Part]) -> None:
        """Hand over those requests whose last part is scored."""
        places = {self._place[id(part)] for part in batch}
        scored = {n: self._parts[n] for n in places if all(part.loglikelihood is not None for part in self._parts[n])}
        self._deliver({n: answer_of(parts) for n, parts in scored.items()})

    def too_long(self, part: Part) -> str:
        """What to say where not even this part alone fits into memory."""
        return (
            f"a text of {self.length(part)} tokens cannot be scored even alone;"
            " use shorter texts, another --device, or --dtype bfloat16"
        )
