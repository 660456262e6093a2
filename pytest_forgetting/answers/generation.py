"""Batched decoding: the same answers as one prompt at a time, several times sooner.

Rows are left-padded and carry explicit position ids, so that in float32 an answer does not depend on its
neighbours. In half precision it does: sums are rounded otherwise in a batch of another shape. Where that matters, all
batches can be given one shape, in which rows do not touch each other either. Nothing of a checkpoint's
generation_config takes part except its end-of-sequence ids.
"""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any

import torch

from pytest_forgetting.answers.answer import NOT_NUMBERS, Answer, Finish, first_part
from pytest_forgetting.answers.drafts import Tally
from pytest_forgetting.answers.kv_cache import Read, Reader, joined, keeps_keys_and_values, plain_model
from pytest_forgetting.answers.planning import longest_first, padded
from pytest_forgetting.answers.thinking import Thought
from pytest_forgetting.grading.thoughts import CLOSE, OPEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_forgetting.answers.sampling import Sampler
    from pytest_forgetting.models.loading import LoadedModel

_BIASED_BY_DISTANCE = ("bloom", "mpt")
"""Architectures that need no positions: attention falls off with the distance (ALiBi)."""
_TABLES_OF_COLUMNS = ("gpt_neo", "mpt")
_SLACK = 16
"""Tokens in which a stop string is looked for, beyond one for each of its bytes: some show nothing at all."""


@dataclass(slots=True)
class Row:
    """One tokenised prompt and the answer growing behind it."""

    prompt: list[int]
    stop: tuple[str, ...]
    limit: int
    """Most new tokens, those of thoughts left out."""
    thought: Thought = field(default_factory=lambda: Thought(0))
    room: float = inf
    """Most new tokens of any kind that the context has room for."""
    new: list[int] = field(default_factory=list)
    answer: Answer | None = None
    sampler: Sampler | None = None
    """Draws the tokens; None takes the likeliest."""
    draft: list[int] = field(default_factory=list)
    """What the answer may turn out to be."""
    gap: float = inf
    """The least distance so far between the likeliest token and the next, in logits."""

    def begin_anew(self) -> None:
        """Forget what was decoded."""
        self.new, self.answer, self.gap = [], None, inf
        self.thought.begin_anew()


class Decoder:
    """Decodes rows with one loaded model."""

    def __init__(self, loaded: LoadedModel, shape: int | None = None) -> None:
        """Look once at what the model's forward pass takes; architectures differ.

        Args:
            loaded: the model that answers.
            shape: rows to which each batch is filled up, so that all have one shape; None decodes no row in vain.
        """
        self.loaded = loaded
        self._shape = shape
        self._reader = Reader(loaded)
        self.batched = can_batch(loaded.model)
        self.tally = Tally()
        self._tags = dict(_hidden(loaded.tokenizer, (OPEN, CLOSE)))

    @torch.inference_mode()
    def decode(self, rows: Sequence[Row]) -> None:
        """Give every row its answer; rows leave the batch as they end, unless its shape is fixed."""
        alone = [row for row in rows if not self._may_share(row, rows)]
        for row in alone:
            self._decode_alone(row)
        if together := [row for row in rows if row.answer is None]:
            self._decode_together(together)

    def _decode_together(self, rows: Sequence[Row]) -> None:
        live, reads = self._prefill(rows) if self._shape is None else self._prefill_in_shape(rows)
        if not live:
            return
        read = joined(reads)
        while any(row.answer is None for row in live[: len(rows)]):
            going = [n for n, row in enumerate(live) if row.answer is None]
            if len(going) < len(live) and self._shape is None:
                read.select(going)
                live = [live[n] for n in going]
            logits = self._reader.go_on(read, [row.new[-1:] or [0] for row in live])
            self._advance(live, [[] for _ in live], logits)

    def _prefill_in_shape(self, rows: Sequence[Row]) -> tuple[list[Row], list[Read]]:
        """Read all prompts in one pass of the fixed shape, up to the first token of each answer."""
        live = [*rows, *(self._filler(rows[0]) for _ in range(len(rows), self._shape or 0))]
        prompts = [row.prompt for row in live]
        read, logits = self._reader.read(prompts, 1, padded(max(map(len, prompts))), share=False)
        self._advance(live, [[] for _ in live], logits)
        return live, [read]

    def _prefill(self, rows: Sequence[Row]) -> tuple[list[Row], list[Read]]:
        """Read all prompts with their drafts, up to the first token of each answer that is no longer the draft's.

        Returns:
            The rows that have no answer yet, and what was read of them, pass by pass.
        """
        rows = longest_first(rows, lambda row: len(row.prompt) + len(row.draft))
        drafts = self._drafts(rows)
        prompts = [row.prompt + draft for row, draft in zip(rows, drafts, strict=True)]
        left: list[Row] = []
        reads: list[Read] = []
        for part, read, logits in self._reader.read_in_passes(prompts, [len(draft) for draft in drafts]):
            self._advance(rows[part], drafts[part], logits)
            going = [n for n, row in enumerate(rows[part]) if row.answer is None]
            unanswered = [rows[part][n] for n in going]
            if going and any(drafts[part]):
                valid = [len(row.prompt) + len(row.new) - 1 for row in unanswered]
                read.rewind(going, [len(prompts[part][n]) for n in going], valid)
            elif going and len(going) < len(logits):
                read.select(going)
            left += unanswered
            reads += [read] if going else []
        return left, reads

    def _may_share(self, row: Row, rows: Sequence[Row]) -> bool:
        """Whether `row` may be read among `rows`: not where padding would push it out of its model's tables."""
        most = self.loaded.context_length
        if not self.batched or most is None or not counts_columns(self.loaded.model):
            return self.batched
        widest = max(len(each.prompt) + len(each.draft) for each in rows)
        width = widest if self._shape is None else padded(len(row.prompt))
        return width + min(row.room, row.limit + row.thought.budget) <= most

    def _filler(self, row: Row) -> Row:
        """A row that only gives the batch its shape."""
        return Row(row.prompt, (), sys.maxsize)

    def _drafts(self, rows: Sequence[Row]) -> list[list[int]]:
        """What is read ahead of each row's answer: its draft less the last token, behind which nothing is wanted."""
        if self._shape is not None or not self.tally.pays or not self._reader.can_rewind:
            return [[] for _ in rows]
        return [row.draft[: max(0, int(min(len(row.draft), row.room)) - 1)] for row in rows]

    def _advance(self, live: Sequence[Row], drafts: Sequence[list[int]], logits: torch.Tensor) -> None:
        """Append to each row its next token, and as long as these are those of its draft the ones behind them too.

        Args:
            live: the rows.
            drafts: what was read behind each of them.
            logits: of (rows, positions, vocabulary), the last behind all that was read.
        """
        broken = logits.isnan().any(-1).tolist()
        best, tokens = (each.tolist() for each in logits.topk(2))
        for n, (row, draft) in enumerate(zip(live, drafts, strict=True)):
            first = logits.shape[1] - 1 - len(draft)
            for ahead in range(len(draft) + 1):
                if row.answer is not None:
                    break  # or it stays only to keep the batch's shape
                at = first + ahead
                if broken[n][at]:
                    row.answer = Answer("", "unanswered", reason=NOT_NUMBERS)
                elif row.sampler is not None:
                    self._append(row, row.sampler.draw(logits[n, at], len(row.new)))
                else:
                    row.gap = min(row.gap, best[n][at][0] - best[n][at][1])
                    self._append(row, tokens[n][at][0])
                if row.new[-1:] != draft[ahead : ahead + 1]:
                    break
                self.tally.accepted += 1
            self.tally.drafted += len(draft)

    def _append(self, row: Row, token: int) -> None:
        row.new.append(token)
        is_last = token in self.loaded.eos_token_ids
        if row.thought.goes_on(row.new, self._text):
            if is_last or len(row.new) >= min(row.thought.budget, row.room):
                row.answer = self._unfinished(row, is_last=is_last)
        elif is_last:
            row.answer = self._ended(row, "eos", self._text(row.new[:-1]))
        elif row.stop and (text := self._stopped(row)) is not None:
            row.answer = self._ended(row, "stop", text)
        elif len(row.new) - row.thought.tokens >= row.limit or len(row.new) >= row.room:
            row.answer = self._ended(row, "length", self._text(row.new))

    def _ended(self, row: Row, finish: Finish, text: str) -> Answer:
        return Answer(text, finish, tuple(row.new), gap=None if row.sampler is not None else row.gap)

    def _unfinished(self, row: Row, *, is_last: bool) -> Answer:
        if is_last:
            reason = "the model ended amid its thoughts"
        elif len(row.new) >= row.room:
            reason = f"the model's thoughts filled its context of {self.loaded.context_length} tokens"
        else:
            reason = f"the model's thoughts did not end within think_tokens: {row.thought.budget}"
        return Answer(self._text(row.new), "unanswered", tuple(row.new), reason)

    def _stopped(self, row: Row) -> str | None:
        """All that was said before a stop string, if there is one behind the thoughts."""
        reach = _SLACK + max(len(string.encode(errors="surrogatepass")) for string in row.stop)
        if first_part(self._text(row.new[-reach:]), row.stop) is None:
            return None  # nearly always; to read all of a long answer for each token takes longer than to say it
        text = self._text(row.new)
        thoughts, close, answer = text.partition(CLOSE) if row.thought.tokens else ("", "", text)
        before = first_part(answer, row.stop)
        return None if before is None else thoughts + close + before

    def _text(self, tokens: Sequence[int]) -> str:
        """Without special tokens; tags of thoughts are kept, so that these can be told from what follows them."""
        runs: list[list[int]] = [[]]
        tags = []
        for token in tokens:
            if token in self._tags:
                tags.append(self._tags[token])
                runs.append([])
            else:
                runs[-1].append(token)
        texts = [str(self.loaded.tokenizer.decode(run, skip_special_tokens=True)) for run in runs]
        return "".join(text + tag for text, tag in zip(texts, [*tags, ""], strict=True))

    def _decode_alone(self, row: Row) -> None:
        """One row without padding, through transformers' own loop: for architectures whose state is no KV cache."""
        ids = torch.tensor([row.prompt], device=self.loaded.model.device)
        while row.answer is None:
            logits = self.loaded.model(input_ids=torch.cat([ids, ids.new_tensor([row.new])], dim=1)).logits[:, -1:]
            self._advance([row], [[]], logits)


def _hidden(tokenizer: Any, tags: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Those of `tags` that are special tokens, which decoding leaves out, by their ids."""
    known = tokenizer.get_added_vocab()
    for tag in tags:
        if tag in known and not tokenizer.decode([known[tag]], skip_special_tokens=True):
            yield known[tag], tag


def can_batch(model: Any) -> bool:
    """Whether rows of several lengths may share a left-padded batch with a KV cache.

    Recurrent models (Mamba and its kin) carry padding into their state, and cannot let rows leave it (LFM2);
    prompt-learning adapters prepend virtual tokens that shift every position; and some architectures have no cache
    (GPT-1), or count padding as positions (RoFormer).
    """
    configs = getattr(model, "peft_config", {})
    learned_prompt = any(getattr(config, "is_prompt_learning", False) for config in configs.values())
    plain = plain_model(model)
    takes = inspect.signature(plain.forward).parameters
    placed = "position_ids" in takes or plain.config.model_type in _BIASED_BY_DISTANCE
    stateful = getattr(plain, "_is_stateful", False) or not keeps_keys_and_values(plain.config)
    return "past_key_values" in takes and placed and not learned_prompt and not stateful


def counts_columns(model: Any) -> bool:
    """Whether padding takes up room in the model's tables, which are as wide as its context."""
    return plain_model(model).config.model_type in _TABLES_OF_COLUMNS
