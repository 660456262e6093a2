"""Examples as rows of tokens, with labels for what is to be learned."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypedDict

from pytest_forgetting.answers.template_timeout import interrupted
from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.training.rules import ForgettingWarning

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from pytest_forgetting.training.examples import Example

NOT_LEARNED = -100
"""The label that the loss passes over, in torch and transformers."""
Span = tuple[int, int]


class Row(TypedDict):
    """One example, ready for the trainer; both lists are of the same length."""

    input_ids: list[int]
    labels: list[int]


def rows(tokenizer: PreTrainedTokenizerBase, examples: Iterable[Example]) -> list[Row]:
    """A row for each of `examples`, in their order, cut at the tokenizer's `model_max_length`.

    Of examples that are longer the end is lost, with a warning; what is left ends in mid-sentence, so no end token is
    learned from it.

    Raises:
        WrongUsage: a chat and no chat template, or one that does not take it, or that writes earlier turns otherwise
            once later ones follow; or an example of which nothing is left to learn.
    """
    return [_within(_row(tokenizer, example), tokenizer.model_max_length) for example in examples]


@contextmanager
def cut_at(tokenizer: PreTrainedTokenizerBase, length: int | None) -> Iterator[None]:
    """Cut rows at `length` tokens within the block, if not sooner."""
    before = tokenizer.model_max_length
    tokenizer.model_max_length = before if length is None else min(before, length)
    try:
        yield
    finally:
        tokenizer.model_max_length = before


@contextmanager
def padding(tokenizer: PreTrainedTokenizerBase) -> Iterator[None]:
    """Lend a tokenizer that has no padding token its end token within the block, as those of many base models need.

    Labels are padded by length, so that the end token stays learned.
    """
    lent = tokenizer.pad_token is None
    if lent:
        tokenizer.pad_token = tokenizer.eos_token
    try:
        yield
    finally:
        if lent:
            tokenizer.pad_token = None


def context(model: PreTrainedModel, wanted: int | None = None) -> int | None:
    """How many tokens `model` is trained on at once: those `wanted`, or as many as it can read, if it says so.

    Raises:
        WrongUsage: more are wanted than it can read, or fewer than two.
    """
    most = getattr(model.config, "max_position_embeddings", None)
    if wanted is None:
        return most
    if wanted < 2 or (most is not None and wanted > most):
        raise WrongUsage(f"max_length {wanted}; wanted 2 to {most or 'any number'}, what the base can read at once")
    return wanted


def _within(row: Row, most: int) -> Row:
    if len(row["input_ids"]) <= most:
        return row
    warnings.warn(f"examples of more than {most} tokens are cut there", ForgettingWarning, stacklevel=2)
    labels = row["labels"][:most]
    if all(label == NOT_LEARNED for label in labels):
        raise WrongUsage(f"an example has nothing to learn in its first {most} tokens: its prompt alone is longer")
    return {"input_ids": row["input_ids"][:most], "labels": labels}


def _row(tokenizer: PreTrainedTokenizerBase, example: Example) -> Row:
    """Tokens with the tokenizer's own ones in front, unless the text writes them out, as when a model is asked.

    A whole text ends with the end token that the model must learn to give.

    The collator pads `labels` by length, so an end token that doubles as padding stays learned. A chat ends as its
    template ends it.
    """
    if example.messages:
        text, spans = _rendered(tokenizer, example.messages)
        return _labelled(tokenizer, text, spans, add_special_tokens=False)
    text = example.prompt + example.text
    opened = tokenizer.bos_token is not None and text.startswith(str(tokenizer.bos_token))
    row = _labelled(tokenizer, text, [(len(example.prompt), len(text))], add_special_tokens=not opened)
    ends = row["input_ids"][-1] == tokenizer.eos_token_id  # some tokenizers add it
    if example.whole and not ends:
        row["input_ids"].append(tokenizer.eos_token_id)
        row["labels"].append(tokenizer.eos_token_id)
    if not example.prompt:
        row["labels"] = list(row["input_ids"])  # opening and closing tokens too, as in pretraining
    if example.whole or ends:
        row["labels"][-1] = tokenizer.eos_token_id if example.whole else NOT_LEARNED
    return row


def _labelled(tokenizer: PreTrainedTokenizerBase, text: str, spans: Sequence[Span], **options: Any) -> Row:
    """Tokens of `text`; those that end within one of `spans` (characters) are learned.

    The text is split as a whole: prompt and answer by themselves could give other tokens at the seam than the model
    reads when it is asked.
    """
    encoded = tokenizer(text, return_offsets_mapping=True, **options)
    ids: list[int] = list(encoded["input_ids"])
    learned = [any(start < end <= stop for start, stop in spans) for _, end in encoded["offset_mapping"]]
    return {"input_ids": ids, "labels": [t if known else NOT_LEARNED for t, known in zip(ids, learned, strict=True)]}


def _rendered(tokenizer: PreTrainedTokenizerBase, turns: Sequence[tuple[str, str]]) -> tuple[str, list[Span]]:
    """The chat as its template writes it, and where the assistant's turns stand in it."""
    if tokenizer.chat_template is None:
        raise WrongUsage("the base has no chat template; give prompt and completion instead of messages")
    messages = [{"role": role, "content": content} for role, content in turns]

    def written(count: int, *, opening: bool = False) -> str:
        if not count:
            return ""
        try:
            with interrupted(str(tokenizer.chat_template)):
                return str(
                    tokenizer.apply_chat_template(messages[:count], tokenize=False, add_generation_prompt=opening)
                )
        except Exception as error:  # a template is somebody else's program: it may raise whatever it likes
            told = f"the chat template refuses {messages[:count]!r:.100}: {error}"
            raise WrongUsage(f"{told}; give prompt and completion instead of messages") from error

    text, spans = written(len(messages)), []
    for n, (role, _) in enumerate(turns):
        if role == "assistant":
            before, after = written(n, opening=True), written(n + 1)
            if not (after.startswith(before) and text.startswith(after)):
                raise WrongUsage(
                    "the chat template writes earlier turns otherwise once later ones follow, so that what is to be"
                    " learned cannot be told; give prompt and completion instead of messages"
                )
            spans.append((len(before), len(after)))
    return text, spans
