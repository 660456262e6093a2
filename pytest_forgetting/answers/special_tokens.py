"""The special tokens that prompts begin with and turns end with, in the very tokens that a model reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

from pytest_forgetting.answers.prompting import Refused, chat_text, prompt_ids
from pytest_forgetting.answers.requests import Request
from pytest_forgetting.answers.special_token_findings import SpecialTokens

if TYPE_CHECKING:
    from pytest_forgetting.answers.requests import Conditions
    from pytest_forgetting.models.loading import LoadedModel

LOOKED_AT = 8
"""Chats, one of which the template may begin in another way, as with a system prompt."""
_PLAIN = Request("A", ())
"""In plain text the tokenizer alone decides what stands before a prompt, whichever it is."""
_ANSWER = "an answer"
_MARK = re.compile(r"<[^<>\s]{1,40}>|\[/?[A-Z_]{1,40}\]")
"""What ends a turn in most templates, where it is no token of its own."""


def special_tokens(loaded: LoadedModel, requests: Sequence[Request], conditions: Conditions) -> SpecialTokens | None:
    """What stands before the prompts of `requests` and, where they are chats, behind an answer.

    Args:
        loaded: the model that reads them.
        requests: all in plain text, or all chats; at least one.
        conditions: with the chat template.

    Returns:
        None where the chat template refuses all of them.
    """
    chat = requests[0].text is None
    begun = []
    for request in requests[:LOOKED_AT] if chat else [_PLAIN]:
        try:
            begun.append(_begun(loaded, prompt_ids(loaded, request, conditions)))
        except Refused:
            continue
    if not begun:
        return None
    count, first = max(begun, key=lambda each: each[0])
    ending = _turn_end(loaded, requests[0], conditions) if chat else None
    return SpecialTokens(first, count, ending, _ends(loaded, ending))


def _begun(loaded: LoadedModel, ids: Sequence[int]) -> tuple[int, str | None]:
    """How often the special token stands at the beginning that stands there, and which it is."""
    first = ids[0]
    added = loaded.tokenizer.added_tokens_decoder.get(first)
    if added is None or not added.special:
        return 0, None
    return len(list(takewhile(lambda each: each == first, ids))), str(loaded.tokenizer.convert_ids_to_tokens(first))


def _turn_end(loaded: LoadedModel, request: Request, conditions: Conditions) -> str | None:
    """What the template writes behind an answer, if that is one token or looks like one; else None."""
    try:
        text = chat_text(loaded, request, conditions, answer=_ANSWER)
    except Refused:
        return None
    behind = text.rpartition(_ANSWER)[2].strip()
    ids = list(loaded.tokenizer(behind, add_special_tokens=False)["input_ids"])
    if ids and ids[0] in (*loaded.eos_token_ids, *loaded.tokenizer.added_tokens_decoder):
        return str(loaded.tokenizer.convert_ids_to_tokens(ids[0]))
    mark = _MARK.match(behind)
    return None if mark is None else mark[0]


def _ends(loaded: LoadedModel, ending: str | None) -> bool:
    return ending is None or loaded.tokenizer.get_vocab().get(ending) in loaded.eos_token_ids
