"""Probing a server: what must be known of its model before that is asked for answers; found out once and kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_forgetting.answers.asking_servers import Asker
from pytest_forgetting.answers.concurrent_requests import as_they_come
from pytest_forgetting.answers.served_side import ServedSide, remember_form, remembered_form
from pytest_forgetting.models.server import Server

if TYPE_CHECKING:
    from pytest_forgetting.answers.store import Store
    from pytest_forgetting.models.endpoint import Endpoint

T = TypeVar("T")


def served_side(
    endpoint: Endpoint, store: Store, *, plain: bool, kwargs: Mapping[str, Any], time_limit: float
) -> ServedSide:
    """The side that a server answers for: as a chat where the server answers chats for the model, else in plain text.

    A server does not tell whether its model has a chat template. vLLM and `transformers serve` fail over a chat where
    there is none; llama.cpp takes a template of its own in its place.

    Args:
        endpoint: the model.
        store: where its answers are kept.
        plain: ask in plain text, whatever the server takes.
        kwargs: what its chat template is told.
        time_limit: seconds for one request.

    Raises:
        WrongUsage: the server does not serve the model.
        CannotAnswer: it does not answer.
    """
    if plain:
        return ServedSide(endpoint, store, chat=False, kwargs={})
    known = remembered_form(endpoint, store)
    if known is None:
        chat, said = ask_one(endpoint, kwargs, time_limit, Asker.takes_chats)
        remember_form(endpoint, store, chat=chat, said=said)
    else:
        chat = known[0]
    return ServedSide(endpoint, store, chat=chat, kwargs=kwargs)


def ask_one(
    endpoint: Endpoint, kwargs: Mapping[str, Any], time_limit: float, question: Callable[[Asker], Awaitable[T]]
) -> T:
    """The answer to one question, by itself.

    Raises:
        CannotAnswer: the server does not answer.
    """

    async def work(put: Callable[[T], None]) -> None:
        async with Server(endpoint.url, time_limit) as server:
            put(await question(Asker(server, endpoint, kwargs)))

    (answer,) = as_they_come(work)
    return answer
