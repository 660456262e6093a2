"""From a request to the token ids that a model reads."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateSyntaxError

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.generation import Row
from pytest_forgetting.answers.sampling import sampler_for
from pytest_forgetting.answers.template_timeout import interrupted
from pytest_forgetting.answers.thinking import Thought
from pytest_forgetting.errors import CannotAnswer
from pytest_forgetting.grading.thoughts import OPEN

if TYPE_CHECKING:
    from pytest_forgetting.answers.requests import Conditions, Request
    from pytest_forgetting.models.loading import LoadedModel

PINNED_DATE = datetime(2025, 1, 1)
"""What templates that insert today's date insert here: an answer must not depend on the day it was asked."""

_DIRECTIVES = "dfHIjmMSUwWyYzZ"
_IN_WORDS = {
    "a": "Wed",
    "A": "Wednesday",
    "b": "Jan",
    "B": "January",
    "c": "Wed Jan  1 00:00:00 2025",
    "p": "AM",
    "x": "01/01/25",
    "X": "00:00:00",
}
"""What the other directives make of it in English; strftime would say it in the language of the process."""


class Refused(Exception):
    """A chat template does not take a prompt; the message is its reason."""


def row_for(loaded: LoadedModel, request: Request, conditions: Conditions) -> Row:
    """Tokenise `request`; a prompt that leaves no room for an answer is answered at once, as unanswered."""
    try:
        text = _text(loaded, request, conditions)
    except Refused as refusal:
        return Row([], request.stop, 0, answer=Answer("", "unanswered", reason=str(refusal)))
    prompt = _prompt_ids(loaded, text, chat=request.text is None)
    sampler = None if request.draw is None else sampler_for(request, request.draw)
    thought = Thought(request.think_tokens, opened=text.rstrip().endswith(OPEN))
    row = Row(prompt, request.stop, request.max_new_tokens, thought, sampler=sampler)
    if loaded.context_length is not None:
        row.room = loaded.context_length - len(prompt)
    if row.room < 1:
        reason = f"the prompt has {len(prompt)} tokens, the model's context {loaded.context_length}"
        row.answer = Answer("", "unanswered", reason=reason)
    return row


def prompt_ids(loaded: LoadedModel, request: Request, conditions: Conditions) -> list[int]:
    """Token ids of the whole prompt, with special tokens exactly once.

    A chat template writes its own special tokens, so none are added behind it; plain text gets those that the
    tokenizer adds by itself, unless it begins with the BOS token already, less an end-of-sequence token, after
    which no model would answer.

    Raises:
        Refused: the chat template does not take the prompt.
    """
    return _prompt_ids(loaded, _text(loaded, request, conditions), chat=request.text is None)


def scored_ids(loaded: LoadedModel, request: Request, conditions: Conditions) -> list[tuple[list[int], list[int]]]:
    """For each of the request's continuations the token ids of what stands before it, and its own.

    As lm-evaluation-harness 0.4.13 does it (`_encode_pair`): prompt and continuation are tokenised as one text and
    parted where the prompt's own tokens end; blanks at the prompt's end go with the continuation, since most
    tokenizers keep a blank with the word behind it.

    Raises:
        Refused: the chat template does not take the prompt, or a continuation has no tokens of its own.
    """
    chat = request.text is None
    text = _text(loaded, request, conditions)
    return [_parted(loaded, text, continuation, chat=chat) for continuation in request.continuations]


def _text(loaded: LoadedModel, request: Request, conditions: Conditions) -> str:
    return chat_text(loaded, request, conditions) if request.text is None else request.text


def _prompt_ids(loaded: LoadedModel, text: str, *, chat: bool) -> list[int]:
    return _encoded(loaded, text, chat=chat) or [_first_token(loaded)]


def _parted(loaded: LoadedModel, text: str, continuation: str, *, chat: bool) -> tuple[list[int], list[int]]:
    before = _encoded(loaded, text.rstrip(), chat=chat) if text else []
    if text:
        behind = _encoded(loaded, text + continuation, chat=chat)[len(before) :]
    else:
        behind = _without_first(loaded, continuation)
    if not behind:
        told = f"{continuation!r:.60} has no tokens of its own"
        raise Refused(f"{told} behind the prompt" if text else told)
    return before or [_first_token(loaded)], behind


def _without_first(loaded: LoadedModel, text: str) -> list[int]:
    """The tokens of a whole text, less the one that it would begin with."""
    ids = _ids(loaded.tokenizer(text, add_special_tokens=False, verbose=False))
    return ids[1:] if len(ids) > 1 and ids[0] == _first_token(loaded) else ids


def _encoded(loaded: LoadedModel, text: str, *, chat: bool) -> list[int]:
    if chat or _begins_with_bos(loaded, text):
        return _ids(loaded.tokenizer(text, add_special_tokens=False, verbose=False))
    ids = _ids(loaded.tokenizer(text, verbose=False))
    if len(ids) > 1 and ids[-1] == loaded.tokenizer.eos_token_id:
        ids.pop()
    return ids


def _begins_with_bos(loaded: LoadedModel, text: str) -> bool:
    """Whether `text` begins with the BOS token, as prompts do that were written out for one model."""
    bos = loaded.tokenizer.bos_token
    return bool(bos) and text.startswith(str(bos))


def chat_text(loaded: LoadedModel, request: Request, conditions: Conditions, answer: str | None = None) -> str:
    """The messages as the chat template writes them, up to where the answer begins, or with an `answer` to its end.

    Raises:
        Refused: the template does not take the prompt.
        CannotAnswer: it is no template.
    """
    assert conditions.chat_template is not None, "without a template the request is plain text"
    turns = [*request.messages, *([] if answer is None else [("assistant", answer)])]
    try:
        with interrupted(conditions.chat_template):
            text = loaded.tokenizer.apply_chat_template(
                [{"role": role, "content": content} for role, content in turns],
                chat_template=_pinned_date() + conditions.chat_template,
                add_generation_prompt=answer is None,
                tokenize=False,
                **conditions.chat_template_kwargs,
            )
    except TemplateSyntaxError as error:
        line = error.lineno - _pinned_date().count("\n")
        told = f"is broken in line {line}: {error.message}"
        raise CannotAnswer(f"the chat template for {loaded.tokenizer.name_or_path} {told}") from error
    except Exception as error:  # a template is somebody else's program: it may raise whatever it likes
        raise Refused(f"the chat template refuses the prompt: {error}") from error
    return str(text)


@cache
def _pinned_date() -> str:
    """A jinja macro that takes the place of the clock in the template that follows it.

    transformers hands templates plain values only, no function, so the date is spelled out directive by directive.
    Its trailing newline is eaten with the block (transformers sets trim_blocks): the template stays as it is.
    """
    spelled = {"%%": "\0"}
    values = {letter: PINNED_DATE.strftime(f"%{letter}") for letter in _DIRECTIVES} | _IN_WORDS
    for letter, value in values.items():
        spelled |= {f"%{letter}": value, f"%-{letter}": value.lstrip("0") or "0"}
    replaced = "".join(f".replace({json.dumps(key)}, {json.dumps(value)})" for key, value in spelled.items())
    return f'{{%- macro strftime_now(format) -%}}{{{{ format{replaced}.replace("\\u0000", "%") }}}}{{%- endmacro %}}\n'


def _ids(encoding: Any) -> list[int]:
    return list(encoding["input_ids"])


def _first_token(loaded: LoadedModel) -> int:
    """What an empty prompt begins with."""
    tokenizer = loaded.tokenizer
    return next((t for t in (tokenizer.bos_token_id, tokenizer.eos_token_id) if t is not None), 0)
