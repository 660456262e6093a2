"""The special tokens that prompts begin with and turns end with, as the store remembers them, and what is odd."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from pytest_forgetting.comparison.participants import Finding

if TYPE_CHECKING:
    from pytest_forgetting.answers.requests import Request
    from pytest_forgetting.answers.sides import LiveSide, SideName
    from pytest_forgetting.answers.store import Store

Form = Literal["text", "chat"]
FORMS: tuple[Form, ...] = ("text", "chat")
_WHAT = {"text": "plain prompts", "chat": "chats"}
_WHO = {"baseline": "the baseline", "model": "the model"}


@dataclass(frozen=True)
class SpecialTokens:
    """What one model reads before a prompt of one form, and how a turn of its own ends."""

    first: str | None
    """The special token at the very beginning, None where a prompt begins with words."""
    count: int
    """How often it stands there before anything else."""
    turn_end: str | None = None
    """What the chat template writes behind an answer; None in plain text, or where it writes nothing of the kind."""
    ends: bool = True
    """Whether an answer ends there."""


def form_of(request: Request) -> Form:
    """Plain text or chat."""
    return "chat" if request.text is None else "text"


def special_tokens_fact(side: LiveSide, form: Form) -> str:
    """Name of the stored fact about how a side's prompts of one form begin."""
    return f"opening:{side.digest.hex()}:{form}"


def remember_special_tokens(store: Store, side: LiveSide, form: Form, found: SpecialTokens) -> None:
    """Keep it with the answers, so that a run without a loaded model tells it as well."""
    store.remember(special_tokens_fact(side, form), json.dumps(asdict(found)))


def special_token_findings(sides: Mapping[SideName, LiveSide], store: Store) -> Iterator[Finding]:
    """Tell what is odd about how the sides' prompts begin and their turns end.

    Args:
        sides: those that were asked themselves.
        store: which remembers the tokens.
    """
    for form in FORMS:
        known = {name: found for name, side in sides.items() if (found := _recall(store, side, form)) is not None}
        yield from _merged("double-bos", {name: _doubled(each, form) for name, each in known.items()})
        yield from _missing(known, sides, form)
        yield from _merged("eos", {name: _endless(each) for name, each in known.items()})


def _recall(store: Store, side: LiveSide, form: Form) -> SpecialTokens | None:
    told = store.fact(special_tokens_fact(side, form))
    try:
        return None if told is None else SpecialTokens(**json.loads(told))
    except (TypeError, ValueError):  # as another version remembered it
        return None


def _merged(finding: str, told: Mapping[SideName, str | None]) -> Iterator[Finding]:
    """One line where the same is to be said of both."""
    sayings = {name: detail for name, detail in told.items() if detail is not None}
    if len(sayings) == 2 and len(set(sayings.values())) == 1:
        yield Finding(finding, "warning", f"baseline and model: {sayings['model']}")
        return
    for name, detail in sayings.items():
        yield Finding(finding, "warning", f"{_WHO[name]}: {detail}")


def _doubled(found: SpecialTokens, form: Form) -> str | None:
    if found.count < 2:
        return None
    source = "the tokenizer adds" if form == "text" else "the chat template writes"
    cure = "post_processor in tokenizer.json" if form == "text" else "chat template"
    return f"{_WHAT[form]} begin with {found.count} {found.first}, which {source}; leave one in the {cure}"


def _missing(
    known: Mapping[SideName, SpecialTokens], sides: Mapping[SideName, LiveSide], form: Form
) -> Iterator[Finding]:
    """Where only one side's prompts begin with the token, or each with another; different templates are told anyway."""
    templates = {side.conditions.chat_template for side in sides.values()}
    if len(known) < 2 or (form == "chat" and len(templates) > 1):
        return
    had, has = (known[name].first or "no special token" for name in ("baseline", "model"))
    if had != has:
        detail = f"{_WHAT[form]} begin with {had} for the baseline and with {has} for the model"
        doubt = "many models answer badly without the first token that they were trained with"
        yield Finding(
            "bos", "warning", f"{detail}: {doubt}; copy the baseline's tokenizer files unless the model was trained so"
        )


def _endless(found: SpecialTokens) -> str | None:
    if found.ends:
        return None
    return (
        f"the chat template ends an answer with {found.turn_end}, which is no end of sequence: answers run on"
        " to the token limit; add it to eos_token_id in generation_config.json"
    )
