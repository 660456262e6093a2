"""Talking to one server: time limits, patience with a busy one, and one clear message where it does not answer."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pytest_forgetting.errors import CannotAnswer
from pytest_forgetting.models.endpoint import KEYS, api_key

if TYPE_CHECKING:
    import httpx
    from tenacity import RetryCallState

ATTEMPTS = 7
"""For one request to a server that is busy or down: with waits that double, half a minute."""
ATTEMPTS_IN_VAIN = 2
"""Where an attempt costs the whole time limit, or would likely give the same again."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 16.0
"""Seconds between attempts, of which up to all is left to chance."""
LONGEST_RETRY_AFTER = 120.0
"""Seconds that a server may ask for; more is taken for a refusal."""
LARGEST = 1 << 26
"""Bytes of one response."""
_SAID = 200
"""Characters that a message shows of what a server said."""
_BUSY = (408, 425, 429, 500, 502, 503, 504, 529)


class Refusal(Exception):
    """The server has understood the request and refuses it; the message is what it said."""

    def __init__(self, status: int, said: str) -> None:
        """`status` as in HTTP, `said` in one line."""
        super().__init__(said)
        self.status = status


@dataclass
class Unavailable(Exception):
    """One attempt came to nothing; another may not."""

    what: str
    attempts: int = ATTEMPTS
    wait: float | None = None
    """Seconds that the server asks for."""
    status: int | None = None


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
        except httpx.DecodingError:
            raise Unavailable("sent what cannot be unpacked", attempts=ATTEMPTS_IN_VAIN) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _unreached(error) from error

    async def _read(self, method: str, route: str, content: bytes | None) -> dict[str, Any]:
        async with self._client.stream(method, self.url + route, content=content) as response:
            raw = bytearray()
            async for piece in response.aiter_bytes():
                raw += piece
                if len(raw) > LARGEST:
                    raise CannotAnswer(f"{self.url}: sent more than {LARGEST >> 20} MiB in answer to one request")
        if response.status_code == 200:
            return _json(raw, self._said(raw))
        raise self._failure(response, self._said(raw))

    def _failure(self, response: httpx.Response, said: str) -> Exception:
        status = response.status_code
        if status in (401, 403):
            held = f"refuses the key in {' or '.join(KEYS)}" if self._key else f"wants a key: set {' or '.join(KEYS)}"
            return CannotAnswer(f"{self.url}: {held} ({status}{said})")
        if 300 <= status < 400:
            where = response.headers.get("location", "").partition("?")[0]
            told = f" to {_line(where)}" if where else ""
            return CannotAnswer(
                f"{self.url}: sends on{told} ({status}), where no key of yours is sent; name that address"
            )
        if status not in _BUSY:
            return Refusal(status, f"{status}{said}")
        wait = _seconds(response.headers.get("retry-after"))
        if wait is not None and wait > LONGEST_RETRY_AFTER:
            return CannotAnswer(f"{self.url}: answers {status}{said}, and asks to come back in {wait:.0f} s")
        return Unavailable(f"answers {status}{said}, however often it is asked", wait=wait, status=status)

    def _said(self, raw: bytes | bytearray) -> str:
        """What a response says, for a message: ``: …`` in one line, without the key, or nothing."""
        text = bytes(raw[: 1 << 16]).decode("utf-8", "replace")
        text = _told(text)
        line = _line(text.replace(self._key, "…") if self._key else text)
        return f": {line}" if line else ""


def _client(key: str | None, time_limit: float) -> httpx.AsyncClient:
    try:
        import httpx
        import tenacity  # noqa: F401 - missed now, not in the midst of the work
    except ImportError:
        raise CannotAnswer("servers need httpx and tenacity: pip install 'pytest-forgetting[endpoint]'") from None
    headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "pytest-forgetting"}
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


def _seconds(header: str | None) -> float | None:
    """What a header Retry-After asks for: seconds, or a date."""
    if header is None:
        return None
    try:
        return max(
            0.0, float(header) if header.strip().isdecimal() else parsedate_to_datetime(header).timestamp() - time()
        )
    except (ValueError, OverflowError):
        return None


def _json(raw: bytearray, said: str) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise Unavailable(f"answers with something else than JSON{said}", attempts=ATTEMPTS_IN_VAIN) from None
    if not isinstance(value, dict):
        raise Unavailable(f"answers with JSON of another shape than asked for{said}", attempts=ATTEMPTS_IN_VAIN)
    return value


def _told(text: str) -> str:
    """The message in an error's JSON, in any of the forms that servers give it; else all of `text`."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    for key in ("error", "message", "detail"):
        value = value.get(key, value) if isinstance(value, dict) else value
    return value if isinstance(value, str) else text


def _line(text: str) -> str:
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= _SAID else f"{line[: _SAID - 1]}…"


def _unreached(error: Exception) -> Exception:
    causes = list(_causes(error))
    certificate = next((each for each in causes if isinstance(each, ssl.SSLError)), None)
    if certificate is not None:
        reason = getattr(certificate, "verify_message", "") or certificate.reason or certificate
        return Unavailable(f"no secure connection can be made: {_line(str(reason))}", attempts=1)
    system = next((each for each in causes if isinstance(each, OSError) and each.strerror), None)
    why = str(error) if system is None else _reason(system)
    return Unavailable(f"cannot be reached: {_line(why or type(error).__name__)}")


def _reason(error: OSError) -> str:
    """In the system's words; those for names that DNS does not know have numbers below 0."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and all that led to it."""
    yield error
    inner = [*getattr(error, "exceptions", ()), error.__cause__ or error.__context__]
    for each in inner:
        if each is not None:
            yield from _causes(each)
