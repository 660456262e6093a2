"""From a request to the token ids that a model reads."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.generation import Row

if TYPE_CHECKING:
    from pytest_forgetting.answers.requests import Conditions, Request
    from pytest_forgetting.models.loading import LoadedModel

PINNED_DATE = datetime(2025, 1, 1)
"""What templates that insert today's date insert here: an answer must not depend on the day it was asked."""


def row_for(loaded: LoadedModel, request: Request, conditions: Conditions) -> Row:
    """Tokenise `request`; a prompt that leaves no room for an answer is answered at once, as unanswered."""
    try:
        prompt = prompt_ids(loaded, request, conditions)
    except TemplateError as error:
        reason = f"the chat template refuses the prompt: {error}"
        return Row([], request.stop, 0, answer=Answer("", "unanswered", reason=reason))
    row = Row(prompt, request.stop, request.max_new_tokens)
    if loaded.context_length is not None:
        row.limit = min(row.limit, loaded.context_length - len(prompt))
    if row.limit < 1:
        reason = f"the prompt has {len(prompt)} tokens, the model's context {loaded.context_length}"
        row.answer = Answer("", "unanswered", reason=reason)
    return row


def prompt_ids(loaded: LoadedModel, request: Request, conditions: Conditions) -> list[int]:
    """Token ids of the whole prompt, with special tokens exactly once.

    A chat template writes its own special tokens, so none are added behind it; plain text gets those that the
    tokenizer adds by itself, less an end-of-sequence token, after which no model would answer.
    """
    if request.text is None:
        return _ids(loaded.tokenizer(chat_text(loaded, request, conditions), add_special_tokens=False))
    ids = _ids(loaded.tokenizer(request.text))
    if len(ids) > 1 and ids[-1] == loaded.tokenizer.eos_token_id:
        ids.pop()
    return ids or [_first_token(loaded)]


def chat_text(loaded: LoadedModel, request: Request, conditions: Conditions) -> str:
    """The messages as the chat template writes them, up to where the answer begins."""
    options: dict[str, Any] = {"strftime_now": PINNED_DATE.strftime, **conditions.chat_template_kwargs}
    text = loaded.tokenizer.apply_chat_template(
        [{"role": role, "content": content} for role, content in request.messages],
        chat_template=conditions.chat_template,
        add_generation_prompt=True,
        tokenize=False,
        **options,
    )
    return str(text)


def _ids(encoding: Any) -> list[int]:
    return list(encoding["input_ids"])


def _first_token(loaded: LoadedModel) -> int:
    """What an empty prompt begins with."""
    tokenizer = loaded.tokenizer
    return next((t for t in (tokenizer.bos_token_id, tokenizer.eos_token_id) if t is not None), 0)
