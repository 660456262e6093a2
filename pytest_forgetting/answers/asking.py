"""Asking one loaded model many requests, batch by batch, whatever the memory allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.batch_sizes import batch_size_for, scored_batch_size_for
from pytest_forgetting.answers.batches import run_in_batches
from pytest_forgetting.answers.generation import Decoder, Row
from pytest_forgetting.answers.likelihood import Part, Scorer, answer_of, parts_of
from pytest_forgetting.answers.planning import FIXED_ROWS, grouped, padded
from pytest_forgetting.answers.prompting import Refused, row_for
from pytest_forgetting.models.checkpoint import embedding_rows

if TYPE_CHECKING:
    from pytest_forgetting.answers.requests import Conditions, Request
    from pytest_forgetting.models.loading import LoadedModel

Deliver = Callable[[dict[int, Answer]], None]
"""Takes answers by the position of their request, batch by batch as they are done."""
Plan = Callable[[Mapping[int, int]], None]
"""Takes, by the position of their request, the tokens that requests take at their longest."""


def ask(
    loaded: LoadedModel,
    requests: Sequence[Request],
    conditions: Conditions,
    deliver: Deliver,
    batch_size: int | None = None,
    *,
    fixed: bool = False,
    drafts: Mapping[int, Sequence[int]] | None = None,
    plan: Plan | None = None,
) -> None:
    """Answer or score all `requests` and hand over the answers as each batch ends.

    Args:
        loaded: the model that answers.
        requests: what it is asked.
        conditions: chat template and what else the answers depend on.
        deliver: called once per batch, so that nothing answered is lost by what comes later.
        batch_size: rows at once; None finds it from free memory and the longest row.
        fixed: give all batches one shape, so that no answer depends on what else is asked, even in half precision.
        drafts: by the position of their request, token ids that its answer may turn out to be.
        plan: called once, before the first answer, with what each request may cost.

    Raises:
        CannotAnswer: not even a single row fits into memory.
    """
    size = min(batch_size or FIXED_ROWS, FIXED_ROWS) if fixed else batch_size
    generating = Generating(loaded, deliver, size, fixed=fixed)
    scoring = Scoring(loaded, deliver, size, fixed=fixed)
    unasked = _share_out(requests, conditions, generating, scoring)
    if plan is not None:
        plan(generating.costs() | scoring.costs())
    if unasked:
        deliver(unasked)
    generating.draft(drafts or {})
    for rows in generating.groups():
        run_in_batches(rows, generating)
    for parts in scoring.groups():
        run_in_batches(parts, scoring)


def _share_out(
    requests: Sequence[Request], conditions: Conditions, generating: Generating, scoring: Scoring
) -> dict[int, Answer]:
    """Give each request to the job that it is for; the answers, by position, of those that no model need be asked."""
    unasked = {}
    for n, request in enumerate(requests):
        job = scoring if request.continuations else generating
        if (refused := job.take(n, request, conditions)) is not None:
            unasked[n] = refused
    return unasked


class Generating:
    """The job of generating answers: a row is one request."""

    def __init__(
        self, loaded: LoadedModel, deliver: Deliver, batch_size: int | None = None, *, fixed: bool = False
    ) -> None:
        """Nothing is asked yet."""
        self._loaded = loaded
        self._batch_size = batch_size
        self._fixed = fixed
        self._decoder = Decoder(loaded, batch_size if fixed else None)
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

    def costs(self) -> dict[int, int]:
        """The tokens of each request, by its place."""
        return {self._place[id(row)]: self.length(row) for row in self.rows}

    def draft(self, drafts: Mapping[int, Sequence[int]]) -> None:
        """Give rows what their answers may turn out to be, as far as the model knows the tokens."""
        known = embedding_rows(self._loaded.model)
        for row in self.rows:
            draft = drafts.get(self._place[id(row)], ())
            row.draft = list(draft) if max(draft, default=0) < known else []

    def groups(self) -> list[list[Row]]:
        """Rows that may share a batch."""
        return grouped(self.rows, lambda row: padded(len(row.prompt)) if self._fixed else None)

    def length(self, row: Row) -> int:
        """Tokens of prompt and answer at their longest; with thoughts only where they are sure to come."""
        thoughts = row.thought.budget if row.thought.opened else 0
        return len(row.prompt) + int(min(row.limit + thoughts, row.room))

    def most(self, rows: Sequence[Row]) -> int:
        """As many as there is room for rows like the longest; more where most will turn out to be as drafted."""
        tally = self._decoder.tally
        drafted = max(len(row.draft) for row in rows) if tally.pays else 0
        several = tally.rows_for_one if drafted else 1
        return self._batch_size or batch_size_for(self._loaded, self.length(rows[0]), drafted, several)

    def run(self, batch: Sequence[Row]) -> None:
        """Decode `batch`."""
        self._decoder.decode(batch)

    def reset(self, row: Row) -> None:
        """Forget what was decoded."""
        row.begin_anew()

    def done(self, batch: Sequence[Row]) -> None:
        """Hand over the answers."""
        self._deliver({self._place[id(row)]: row.answer for row in batch if row.answer is not None})

    def shortened(self, row: Row, tokens: int) -> Row:
        """All of its tokens are read at once, which takes no less memory than to decode some of them."""
        read = max(1, tokens - 1)
        return Row((row.prompt * (read // len(row.prompt) + 1))[:read], (), 1)

    def too_long(self, row: Row, fitting: int) -> str:
        """What to say where not even this row alone fits into memory."""
        return (
            f"a prompt of {len(row.prompt)} tokens with up to {self.length(row) - len(row.prompt)} new ones does not"
            f" fit even alone, {_would(fitting)}; use a smaller max_new_tokens, another --device, or --dtype bfloat16"
        )


class Scoring:
    """The job of scoring: a request has a part for each of its continuations, or for each window of a long text."""

    def __init__(
        self, loaded: LoadedModel, deliver: Deliver, batch_size: int | None = None, *, fixed: bool = False
    ) -> None:
        """Nothing is asked yet."""
        self._loaded = loaded
        self._batch_size = batch_size
        self._fixed = fixed
        self._scorer = Scorer(loaded, batch_size if fixed else None)
        self._deliver = deliver
        self._place: dict[int, int] = {}
        self._longest: dict[int, int] = {}
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
        longest = max(len(part.before) + len(part.scored) for part in parts)
        self._longest.update((id(part), longest) for part in parts)
        self._place.update((id(part), place) for part in parts)
        return None

    def costs(self) -> dict[int, int]:
        """The tokens of all parts of each request, by its place."""
        return {n: sum(len(part.before) + len(part.scored) for part in parts) for n, parts in self._parts.items()}

    def groups(self) -> list[list[Part]]:
        """Parts that may share a batch: long ones apart, as their logits would be held for every row."""
        return grouped(self.parts, lambda part: (part.is_long, part.shape if self._fixed else None))

    def length(self, part: Part) -> int:
        """Tokens of the longest part of its request: of equal length, they share a batch, and the prompt in it."""
        return self._longest[id(part)]

    def most(self, parts: Sequence[Part]) -> int:
        """As many of the first as there is room for; long ones one by one, as all logits of a batch would be held."""
        if parts[0].is_long:
            return 1
        sizes = [(len(part.before), len(part.scored)) for part in parts]
        return self._batch_size or scored_batch_size_for(self._loaded, sizes)

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

    def shortened(self, part: Part, tokens: int) -> Part:
        """The same share of it is scored."""
        scored = max(1, tokens * len(part.scored) // (len(part.before) + len(part.scored)))
        return Part(part.before[: max(1, tokens - scored)], part.scored[:scored])

    def too_long(self, part: Part, fitting: int) -> str:
        """What to say where not even this part alone fits into memory."""
        return (
            f"a text of {len(part.before) + len(part.scored)} tokens cannot be scored even alone, {_would(fitting)};"
            " use shorter texts, another --device, or --dtype bfloat16"
        )


def _would(fitting: int) -> str:
    return f"one of about {fitting} tokens in all would fit" if fitting else "nor does any shorter one fit"
