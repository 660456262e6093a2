"""What comes back from a server: JSON, an error in one line, or nothing at all."""

from __future__ import annotations

import json
import os
import ssl
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

ATTEMPTS = 7
"""For one request to a server that is busy or down: with waits that double, half a minute."""
ATTEMPTS_IN_VAIN = 2
"""Where an attempt costs the whole time limit, or would likely give the same again."""
_SAID = 200
"""Characters that a message shows of what a server said."""


SHORTEST_SECRET = 12
"""Characters of a key that somebody may have to hide."""


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


def json_object(raw: bytes | bytearray, said: str) -> dict[str, Any]:
    """The response as a JSON object.

    Raises:
        Unavailable: it is none.
    """
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise Unavailable(f"answers with something else than JSON{said}", attempts=ATTEMPTS_IN_VAIN) from None
    if not isinstance(value, dict):
        raise Unavailable(f"answers with JSON of another shape than asked for{said}", attempts=ATTEMPTS_IN_VAIN)
    return value


def unpacking(encoding: str | None) -> Callable[[bytes, int], bytes]:
    """From pieces of a response, and how many bytes there is room for, to their content.

    httpx unpacks a piece whole, and several encodings one after the other: a few kilobytes can fill any memory.

    Raises:
        Unavailable: at once or later, it is encoded in another way than was asked for.
    """
    if encoding is None or encoding.strip().lower() in ("", "identity"):
        return lambda piece, _: piece
    if encoding.strip().lower() not in ("gzip", "x-gzip"):
        raise _packed()
    unpacker = zlib.decompressobj(wbits=31)

    def unpack(piece: bytes, room: int) -> bytes:
        try:
            return unpacker.decompress(piece, max(1, room))
        except zlib.error:
            raise _packed() from None

    return unpack


def _packed() -> Unavailable:
    return Unavailable("sent what cannot be unpacked", attempts=ATTEMPTS_IN_VAIN)


def without_key(value: Any, key: str | None) -> Any:
    """`value`, JSON of a server, with no `key` in its texts: some send back what they were sent.

    Keys of few characters are left: those are no secrets but words such as EMPTY, and answers may hold them.
    """
    if key is None or len(key) < SHORTEST_SECRET:
        return value
    if isinstance(value, str):
        return value.replace(key, "…")
    if isinstance(value, list):
        return [without_key(each, key) for each in value]
    if isinstance(value, dict):
        return {name: without_key(each, key) for name, each in value.items()}
    return value


def seconds(header: str | None) -> float | None:
    """What a header Retry-After asks for: seconds, or a date."""
    if header is None:
        return None
    try:
        return max(
            0.0, float(header) if header.strip().isdecimal() else parsedate_to_datetime(header).timestamp() - time()
        )
    except (ValueError, OverflowError):
        return None


def message_of(text: str) -> str:
    """The message in an error's JSON, in any of the forms that servers give it; else all of `text`."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    for key in ("error", "message", "detail"):
        value = value.get(key, value) if isinstance(value, dict) else value
    return value if isinstance(value, str) else text


def in_one_line(text: str) -> str:
    """Cut where it is long, without what could command a terminal."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= _SAID else f"{line[: _SAID - 1]}…"


def unreached(error: Exception) -> Unavailable:
    """Why no response came."""
    causes = list(_causes(error))
    certificate = next((each for each in causes if isinstance(each, ssl.SSLError)), None)
    if certificate is not None:
        reason = getattr(certificate, "verify_message", "") or certificate.reason or certificate
        return Unavailable(f"no secure connection can be made: {in_one_line(str(reason))}", attempts=1)
    system = next((each for each in causes if isinstance(each, OSError) and each.strerror), None)
    why = str(error) if system is None else _reason(system)
    return Unavailable(f"cannot be reached: {in_one_line(why or type(error).__name__)}")


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
