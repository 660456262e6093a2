"""Asking a server one request, in the form that its API has for it."""

from __future__ import annotations

import asyncio
from difflib import get_close_matches
from http import HTTPStatus
from math import isfinite, isnan
from typing import TYPE_CHECKING, Any

from pytest_forgetting.answers.answer import IMPOSSIBLE, NOT_NUMBERS, Answer
from pytest_forgetting.answers.replies import CLIPPED, Malformed, Reply, Scores, reply_of, token_scores
from pytest_forgetting.answers.requests import Request, seed_of
from pytest_forgetting.answers.served_side import Scoring, no_scores
from pytest_forgetting.errors import CannotAnswer, WrongUsage
from pytest_forgetting.models.responses import ATTEMPTS, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_forgetting.models.endpoint import Endpoint
    from pytest_forgetting.models.server import Server

CHATS, TEXTS = "/chat/completions", "/completions"
FIRST_ATTEMPTS = 3
"""Of the probe: whoever has mistyped an address does not wait for half a minute."""
SHOWN_NAMES = 8
_TOO_LONG = ("context", "too long", "maximum", "max_model_len", "length", "too many tokens", "exceed")


class NoScores(Exception):
    """The server gives no log-likelihoods of prompts."""


class Asker:
    """Asks one model of one server."""

    def __init__(self, server: Server, endpoint: Endpoint, kwargs: Mapping[str, Any]) -> None:
        """Nothing is sent yet.

        Args:
            server: which serves it.
            endpoint: which of its models.
            kwargs: what its chat template is told.
        """
        self._server = server
        self._endpoint = endpoint
        self._kwargs = dict(kwargs)
        self._lengths: dict[str, asyncio.Task[int]] = {}

    async def answer(self, request: Request) -> Answer:
        """The answer to `request`; unanswered where its prompt does not fit into the model's context.

        Raises:
            Refusal: the server refuses the request for another reason.
            CannotAnswer: it does not answer, or cannot be understood.
        """
        try:
            return await (self._scored(request) if request.continuations else self._generated(request))
        except Refusal as refusal:
            if any(word in str(refusal).lower() for word in _TOO_LONG):
                return refused(refusal)
            raise

    async def takes_chats(self) -> tuple[bool, str]:
        """Whether the server answers chats for this model, and if not, what it said.

        Raises:
            WrongUsage: it does not serve the model.
            CannotAnswer: it answers nothing at all for this model.
        """
        hello = Request(None, (("user", "Hello"),), max_new_tokens=1)
        try:
            reply_of(await self._post(CHATS, _asked(hello, 1) | self._told(), FIRST_ATTEMPTS), chat=True)
        except Refusal as refusal:
            await self._see_plain(refusal)
            return False, f" ({refusal})"
        except CannotAnswer as error:
            if not _broke(error):
                raise
            await self._see_plain(error)
            return False, f" ({_reason(error)})"
        except Malformed as error:
            raise self._misunderstood(error) from error
        return True, ""

    async def _see_plain(self, refused: Exception) -> None:
        """See that what takes no chats takes texts: otherwise something else is wrong."""
        try:
            reply_of(await self._post(TEXTS, _asked(Request("Hello", ()), 1), FIRST_ATTEMPTS), chat=False)
        except Refusal as error:
            raise await self.explained(error, refused) from error
        except CannotAnswer as error:
            if _broke(error):
                await self._see_name(str(error))
            raise
        except Malformed as error:
            raise self._misunderstood(error) from error

    async def scoring(self) -> Scoring:
        """Of what the server gives log-likelihoods.

        Raises:
            CannotAnswer: it does not answer.
        """
        try:
            scores = await self._scores("The capital of France is Paris.")
        except (NoScores, Refusal):
            return "nothing"
        return "whole texts" if scores.opened else "all but the first token"

    async def explained(self, refusal: Refusal, before: Exception | None = None) -> Exception:
        """What a refusal means that concerns no single prompt, nor does the one `before` it."""
        try:
            await self._see_name(str(refusal))
        except WrongUsage as error:
            return error
        ends = "" if self._endpoint.url.endswith("/v1") or refusal.status != 404 else "; addresses mostly end in /v1"
        both = "" if before is None else f"chats ({_reason(before)}) and "
        return CannotAnswer(f"{self._endpoint.ref}: the server refuses {both}plain prompts ({refusal}){ends}")

    async def _see_name(self, said: str) -> None:
        name, names = self._endpoint.name, await self._server.names()
        if not names or name in names:
            return
        near = get_close_matches(name, names, n=1)
        meant = f"; did you mean {self._endpoint.url}#{near[0]}?" if near else ""
        more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
        served = ", ".join(sorted(names)[:SHOWN_NAMES]) + more
        raise WrongUsage(
            f"{self._endpoint.ref}: the server does not serve '{name}', but {served}{meant} (it said: {said})"
        )

    async def _generated(self, request: Request) -> Answer:
        reply = await self._reply(request, request.max_new_tokens, request.stop)
        if reply.is_amid_thoughts:
            # What ends an answer may end no thought: the whole is asked for, and cut here.
            reply = await self._reply(request, request.max_new_tokens + request.think_tokens, ())
            if reply.is_amid_thoughts:
                why = f"the model's thoughts did not end within think_tokens: {request.think_tokens}"
                return Answer("", "unanswered", reason=why)
        return reply.answer(request.stop)

    async def _reply(self, request: Request, limit: int, stop: tuple[str, ...]) -> Reply:
        chat = request.text is None
        body = _asked(request, limit) | ({"stop": list(stop)} if stop else {}) | (self._told() if chat else {})
        try:
            reply = reply_of(await self._post(CHATS if chat else TEXTS, body), chat=chat)
        except Malformed as error:
            raise self._misunderstood(error) from error
        if reply.tokens is not None and reply.tokens > limit + 1:  # some count the end of sequence
            raise CannotAnswer(
                f"{self._endpoint.ref}: gave {reply.tokens} tokens where at most {limit} were asked for: it does not"
                " heed max_tokens, and answers of other lengths are not comparable"
            )
        return reply

    async def _scored(self, request: Request) -> Answer:
        assert request.text is not None, "of chats no server gives log-likelihoods"
        before = await self._length(request.text.rstrip())
        sums = []
        for continuation in request.continuations:
            scores = (await self._understood(request.text + continuation))[before:]
            if before == 0 and scores[:1] == [None]:
                del scores[0]  # nothing stands before the first token of all
            if not scores:
                told = f"{continuation!r:.60} has no tokens of its own behind the prompt"
                return Answer("", "unanswered", reason=told)
            sums.append(sum(float("nan") if each is None else each for each in scores))
            if isnan(sums[-1]):
                return Answer("", "unanswered", reason=NOT_NUMBERS)
            if not isfinite(sums[-1]) or any(each is not None and each <= CLIPPED for each in scores):
                return Answer("", "unanswered", reason=IMPOSSIBLE)
        return Answer("", "scored", loglikelihoods=tuple(sums))

    async def _length(self, prompt: str) -> int:
        """Tokens of the prompt alone, as the server tells: behind so many begins what is scored, as in lm-eval."""
        if not prompt:
            return 0
        if prompt not in self._lengths:
            self._lengths[prompt] = asyncio.ensure_future(self._count(prompt))
        return await self._lengths[prompt]

    async def _count(self, prompt: str) -> int:
        return len(await self._understood(prompt))

    async def _understood(self, prompt: str) -> list[float | None]:
        try:
            return (await self._scores(prompt)).nats
        except NoScores:
            raise CannotAnswer(no_scores(self._endpoint)) from None

    async def _scores(self, prompt: str) -> Scores:
        # One token more than is wanted, as lm-evaluation-harness asks: some servers take no 0.
        body = {"prompt": prompt, "max_tokens": 1, "temperature": 0, "logprobs": 1, "echo": True}
        try:
            scores = token_scores(await self._post(TEXTS, body), prompt)
        except Malformed as error:
            raise self._misunderstood(error) from error
        if scores is None:
            raise NoScores
        return scores

    async def _post(self, route: str, body: dict[str, Any], attempts: int = ATTEMPTS) -> dict[str, Any]:
        return await self._server.post(route, {"model": self._endpoint.name, **body}, attempts)

    def _told(self) -> dict[str, Any]:
        return {"chat_template_kwargs": self._kwargs} if self._kwargs else {}

    def _misunderstood(self, error: Malformed) -> CannotAnswer:
        return CannotAnswer(
            f"{self._endpoint.ref}: the server answers with JSON of another shape than its API has: {error}"
        )


def refused(refusal: Refusal) -> Answer:
    """No answer, and why."""
    return Answer("", "unanswered", reason=f"the server refuses the prompt ({refusal})")


def _asked(request: Request, limit: int) -> dict[str, Any]:
    if request.text is None:
        body: dict[str, Any] = {"messages": [{"role": role, "content": text} for role, text in request.messages]}
    else:
        body = {"prompt": request.text}
    body |= {"max_tokens": limit, "temperature": 0}
    if request.draw is not None:
        # 31 bits: as many as every server takes.
        seed = int.from_bytes(seed_of(request, request.draw)[:4], "big") >> 1
        body |= {"temperature": request.draw.temperature, "top_p": 1, "seed": seed}
    return body


def _broke(error: CannotAnswer) -> bool:
    """Whether the server failed over the request itself, as some do over a missing chat template."""
    return getattr(error.__cause__, "status", None) == HTTPStatus.INTERNAL_SERVER_ERROR


def _reason(error: Exception) -> str:
    """Without the server's address in front."""
    return str(error) if isinstance(error, Refusal) else str(error).partition(": ")[2]
