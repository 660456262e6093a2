"""A side that a server answers for: how it is asked, where its answers are kept, what cannot be known of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from pytest_forgetting.answers.requests import ANSWER_VERSION, digest_of
from pytest_forgetting.answers.sides import RecordedSide, Side, SideName, StoredSide
from pytest_forgetting.answers.store import Store
from pytest_forgetting.comparison.participants import NOT_STATED, Finding, Participant
from pytest_forgetting.models.endpoint import Endpoint
from pytest_forgetting.models.source import SERVERS_OWN, Source

if TYPE_CHECKING:
    from pytest_forgetting.suites.cases import Suite

Scoring = Literal["nothing", "all but the first token", "whole texts"]
SCORINGS: tuple[Scoring, ...] = ("nothing", "all but the first token", "whole texts")
FORM, SCORES, SEED = "form", "scores", "seed"
"""What is found out once about a server's model: how it is asked, whether it scores, whether it draws by a seed."""


class ServedSide(StoredSide):
    """One model of a server."""

    def __init__(self, endpoint: Endpoint, store: Store, *, chat: bool, kwargs: Mapping[str, Any]) -> None:
        """Bind it to the store.

        Args:
            endpoint: the model.
            store: where answers are kept; where no revision is stated, one of this run only.
            chat: whether it is asked through the server's chat template.
            kwargs: what the template is told.
        """
        self.endpoint = endpoint
        self.chat = chat
        self.kwargs = dict(kwargs) if chat else {}
        place = [endpoint.url, endpoint.name, endpoint.revision]
        digest = digest_of([ANSWER_VERSION, "endpoint", place, chat, self.kwargs])
        super().__init__(Participant(endpoint.ref, endpoint.fingerprint or NOT_STATED), digest, store)
        self.folder = store.folder

    @cached_property
    def source(self) -> Source:
        """Who it is, and how it is asked."""
        return Source(self.participant, SERVERS_OWN if self.chat else None, self.kwargs)

    def fact(self, name: str) -> str | None:
        """What was found out about it."""
        return self._store.fact(_place(self.endpoint, name))

    def remember(self, name: str, value: str) -> None:
        """Keep what was found out about it."""
        self._store.remember(_place(self.endpoint, name), value)

    @property
    def scoring(self) -> Scoring | None:
        """Of what the server gives log-likelihoods; None where that was not found out."""
        told = self.fact(SCORES)
        return next((each for each in SCORINGS if each == told), None)


def remembered_form(endpoint: Endpoint, store: Store) -> tuple[bool, str] | None:
    """Whether the model was asked as a chat, and what the server said if it takes no chats; None where nobody knows."""
    told = store.fact(_place(endpoint, FORM))
    return None if told is None else (json.loads(told)[0], json.loads(told)[1])


def remember_form(endpoint: Endpoint, store: Store, *, chat: bool, said: str) -> None:
    """Keep it with the answers, so that a run whose answers are stored asks nobody."""
    store.remember(_place(endpoint, FORM), json.dumps([chat, said]))


def _place(endpoint: Endpoint, name: str) -> str:
    return f"endpoint:{name}:{digest_of([endpoint.url, endpoint.name, endpoint.revision]).hex()}"


def served_findings(sides: Mapping[SideName, Side], *, plain: bool) -> Iterator[Finding]:
    """How the servers' models are asked, and what cannot be known of them.

    Args:
        sides: both.
        plain: whether the user has chosen plain text.
    """
    served = {side.digest: side for side in sides.values() if isinstance(side, ServedSide)}
    for side in served.values():
        yield Finding("endpoint", "info", f"{side.participant.ref}: {_how(side, plain=plain)}")
        if side.fact(SEED) == "ignored":
            yield Finding("endpoint", "warning", f"{side.participant.ref}: {_IGNORES_SEEDS}")
    forms = {name: side.source.chat_template is not None for name, side in sides.items()}
    if served and len(set(forms.values())) == 2 and not any(isinstance(side, RecordedSide) for side in sides.values()):
        chat, text = ("baseline", "model") if forms["baseline"] else ("model", "baseline")
        detail = (
            f"the {chat} is asked through a chat template, the {text} in plain text; --chat-template none asks both so"
        )
        yield Finding("chat-template", "warning", detail)


def why_unscored(side: ServedSide, suite: Suite, scoring: Scoring, beside: Source | None) -> str | None:
    """Why a suite that goes by log-likelihoods cannot be asked; None if it can.

    Args:
        side: whose server is asked.
        suite: of kind choice or text.
        scoring: of what that server gives log-likelihoods.
        beside: the other side, where no server answers for it.
    """
    who = side.participant.ref
    if scoring == "nothing":
        told = f"a {suite.kind} suite goes by log-likelihoods, and {no_scores(side.endpoint)}"
        return f"{told}; leave this suite out, or name the model's folder or Hub id"
    if beside is None:
        return None
    # What a library has computed names its version; what a server has, in a recording too, does not.
    if suite.kind == "text" and scoring == "all but the first token" and beside.versions:
        told = f"{who} gives no log-likelihood of a text's first token, which the other side has"
        return f"{told}: sums over whole texts are not comparable; leave this suite out, or ask both by servers"
    if suite.kind == "choice" and beside.chat_template not in (None, SERVERS_OWN):
        told = f"the other side scores choices behind its chat template, {who} behind plain text"
        return f"{told}; ask both alike: --chat-template none"
    return None


def no_scores(endpoint: Endpoint) -> str:
    """What is said of a server that gives no log-likelihoods."""
    how = "/completions with echo and logprobs, as vLLM and SGLang give them"
    return f"{endpoint.ref} gives no log-likelihoods of prompts ({how})"


_IGNORES_SEEDS = "asked again with the same seed it drew another answer: samples will differ from run to run"


def _how(side: ServedSide, *, plain: bool) -> str:
    told = [f"asked by {_route(side, plain=plain)}; its weights, tokenizer and dtype cannot be checked from here"]
    if side.chat and side.scoring is not None:
        told.append("choices are scored behind plain text, as servers score no chats")
    if side.endpoint.revision is None:
        told.append("its revision is not stated (#NAME@REVISION), so answers serve this run only")
    return "; ".join(told)


def _route(side: ServedSide, *, plain: bool) -> str:
    if side.chat:
        return "/chat/completions, through the server's own template (--chat-template none asks for plain completions)"
    if plain:
        return "/completions, in plain text (--chat-template none)"
    said = side.fact(FORM)
    return f"/completions, in plain text, as it takes no chats{json.loads(said)[1] if said else ''}"
