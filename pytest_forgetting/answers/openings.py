"""How prompts begin and how turns end, in the very tokens that a model reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from pytest_forgetting.answers.opening_findings import Opening
from pytest_forgetting.answers.prompting import Refused, chat_text, prompt_ids

if TYPE_CHECKING:
    from pytest_forgetting.answers.requests import Conditions, Request
    from pytest_forgetting.models.loading import LoadedModel

LOOKED_AT = 8
"""Prompts; what stands before them comes from tokenizer and template, and is nearly always the same."""
_ANSWER = "an answer"
_MARK = re.compile(r"<[^<>\s]{1,40}>|\[/?[A-Z_]{1,40}\]")
"""What ends a turn in most templates, where it is no token of its own."""


def opening(loaded: LoadedModel, requests: Sequence[Request], conditions: Conditions) -> Opening | None:
    """What stands before the prompts of `requests` and, where they are chats, behind an answer.

    Args:
        loaded: the model that reads them.
        requests: all in plain text, or all chats.
        conditions: with the chat template.

    Returns:
        None where all of them are refused, or there is none.
    """
    bos = loaded.tokenizer.bos_token
    counts = []
    for request in islice((request for request in requests if _is_usual(request, bos)), LOOKED_AT):
        try:
            counts.append(_first_tokens(loaded, prompt_ids(loaded, request, conditions)))
        except Refused:
            continue
    if not counts:
        return None
    ending = _turn_end(loaded, requests[0], conditions) if requests[0].text is None else None
    return Opening(bos, max(counts), ending, _ends(loaded, ending))


def _is_usual(request: Request, bos: str | None) -> bool:
    """Whether what stands before the prompt comes from the tokenizer alone: neither from the prompt, nor from us."""
    return request.text is None or not (request.text == "" or (bos and request.text.startswith(bos)))


def _first_tokens(loaded: LoadedModel, ids: Sequence[int]) -> int:
    bos = loaded.tokenizer.bos_token_id
    return 0 if bos is None else len(list(takewhile(lambda each: each == bos, ids)))


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
