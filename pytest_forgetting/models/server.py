"""Talking to one server: time limits, patience with a busy one, and one clear message where it does not answer."""

from __future__ import annotations

import asyncio
import json
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pytest_forgetting.errors import CannotAnswer
from pytest_forgetting.models.endpoint import KEYS, api_key
from pytest_forgetting.models.responses import (
    ATTEMPTS,
    ATTEMPTS_IN_VAIN,
    Refusal,
    Unavailable,
    in_one_line,
    json_object,
    message_of,
    seconds,
    unpacking,
    unreached,
    without_key,
)

if TYPE_CHECKING:
    import httpx
    from tenacity import RetryCallState

FIRST_WAIT, LONGEST_WAIT = 0.5, 16.0
"""Seconds between attempts, of which up to all is left to chance."""
LONGEST_RETRY_AFTER = 120.0
"""Seconds that a server may ask for; more is taken for a refusal."""
LARGEST = 1 << 26
"""Bytes of one response."""
_BUSY = (408, 425, 429, 500, 502, 503, 504, 529)


class Server:
    """One server, asked by as many as like to at once."""

    def __init__(self, url: str, time_limit: float) -> None:
        """Nothing is sent yet.

        Args:
            url: where its routes begin.
            time_limit: seconds for one attempt at one request, from its first byte to the answer's last.

        Raises:
            CannotAnswer: httpx or tenacity are not installed.
            WrongUsage: the environment's key cannot be sent.
        """
        self.url = url
        self._time_limit = time_limit
        self._key = api_key()
        self._client = _client(self._key, time_limit)

    async def __aenter__(self) -> Server:
        """Keep connections until the block ends."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Close them."""
        await self._client.aclose()

    async def post(self, route: str, body: dict[str, Any], attempts: int = ATTEMPTS) -> dict[str, Any]:
        """The server's answer to `body`, a JSON object.

        Raises:
            Refusal: it says that it cannot do what is asked.
            CannotAnswer: it does not answer, or not with JSON, however often it is asked.
        """
        # ASCII on purpose: a lone surrogate in a prompt is no valid UTF-8, but a valid escape.
        return await self._persistent("POST", route, json.dumps(body).encode("ascii"), attempts)

    async def names(self) -> list[str]:
        """What the server says that it serves; empty where it does not tell."""
        try:
            listed = (await self._persistent("GET", "/models", None, ATTEMPTS_IN_VAIN)).get("data")
        except (Refusal, CannotAnswer):
            return []
        rows = listed if isinstance(listed, list) else []
        return [str(row["id"]) for row in rows if isinstance(row, dict) and "id" in row]

    async def _persistent(self, method: str, route: str, content: bytes | None, attempts: int) -> dict[str, Any]:
        from tenacity import AsyncRetrying, retry_if_exception_type

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(Unavailable),
            stop=lambda state: state.attempt_number >= min(attempts, _failure(state).attempts),
            wait=_wait,
            reraise=True,
        )
        try:
            return await retrying(self._once, method, route, content)
        except Unavailable as error:
            raise CannotAnswer(f"{self.url}: {error.what}") from error

    async def _once(self, method: str, route: str, content: bytes | None) -> dict[str, Any]:
        import httpx

        try:
            async with asyncio.timeout(self._time_limit):
                return await self._read(method, route, content)
        except (TimeoutError, httpx.TimeoutException):
            limit = f"{self._time_limit:g} s (--forgetting-request-timeout)"
            raise Unavailable(f"gave no answer within {limit}", attempts=ATTEMPTS_IN_VAIN) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise unreached(error) from error

    async def _read(self, method: str, route: str, content: bytes | None) -> dict[str, Any]:
        async with self._client.stream(method, self.url + route, content=content) as response:
            raw = bytearray()
            unpack = unpacking(response.headers.get("content-encoding"))
            async for piece in response.aiter_raw():
                raw += unpack(piece, LARGEST + 1 - len(raw))
                if len(raw) > LARGEST:
                    raise CannotAnswer(f"{self.url}: sent more than {LARGEST >> 20} MiB in answer to one request")
        if response.status_code == 200:
            value: dict[str, Any] = without_key(json_object(raw, self._said(raw)), self._key)
            return value
        raise self._failure(response, self._said(raw))

    def _failure(self, response: httpx.Response, said: str) -> Exception:
        status = response.status_code
        if status in (401, 403):
            held = f"refuses the key in {' or '.join(KEYS)}" if self._key else f"wants a key: set {' or '.join(KEYS)}"
            return CannotAnswer(f"{self.url}: {held} ({status}{said})")
        if 300 <= status < 400:
            where = response.headers.get("location", "").partition("?")[0]
            told = f" to {in_one_line(self._hidden(where))}" if where else ""
            return CannotAnswer(
                f"{self.url}: sends on{told} ({status}), where no key of yours is sent; name that address"
            )
        if status not in _BUSY:
            return Refusal(status, f"{status}{said}")
        wait = seconds(response.headers.get("retry-after"))
        if wait is not None and wait > LONGEST_RETRY_AFTER:
            return CannotAnswer(f"{self.url}: answers {status}{said}, and asks to come back in {wait:.0f} s")
        return Unavailable(f"answers {status}{said}, however often it is asked", wait=wait, status=status)

    def _said(self, raw: bytes | bytearray) -> str:
        """What a response says, for a message: ``: …`` in one line, without the key, or nothing."""
        text = bytes(raw[: 1 << 16]).decode("utf-8", "replace")
        line = in_one_line(self._hidden(message_of(text)))
        return f": {line}" if line else ""

    def _hidden(self, text: str) -> str:
        return text.replace(self._key, "…") if self._key else text


def _client(key: str | None, time_limit: float) -> httpx.AsyncClient:
    try:
        import httpx
        import tenacity  # noqa: F401 - missed now, not in the midst of the work
    except ImportError:
        raise CannotAnswer("servers need httpx and tenacity: pip install 'pytest-forgetting[endpoint]'") from None
    headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "pytest-forgetting"}
    headers["Accept-Encoding"] = "gzip"
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    return httpx.AsyncClient(headers=headers, timeout=time_limit, limits=limits, follow_redirects=False)


def _failure(state: RetryCallState) -> Unavailable:
    error = None if state.outcome is None else state.outcome.exception()
    assert isinstance(error, Unavailable), "nothing else is tried again"
    return error


def _wait(state: RetryCallState) -> float:
    """As long as the server asks for and some more, lest all come at once; else a random part of a doubled wait."""
    from tenacity import wait_random, wait_random_exponential

    asked = _failure(state).wait
    if asked is not None:
        return asked + float(wait_random(0, min(1.0, asked / 4))(state))
    return float(wait_random_exponential(FIRST_WAIT, LONGEST_WAIT)(state))
