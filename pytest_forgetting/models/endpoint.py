"""A model on an OpenAI-compatible server: how a reference names it, and the key that the environment holds for it."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from pytest_forgetting.errors import WrongUsage

KEYS = ("PYTEST_FORGETTING_API_KEY", "OPENAI_API_KEY")
"""Environment variables that may hold the key; the first that is set counts."""
FORM = "http(s)://HOST/v1#NAME, or …#NAME@REVISION"
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@dataclass(frozen=True)
class Endpoint:
    """One model of a server."""

    ref: str
    """As the user named it."""
    url: str
    """Where its routes begin, without a slash at the end: ``http://host:8000/v1``."""
    name: str
    """By which the server knows the model."""
    revision: str | None = None
    """What the user calls the weights that are served now; None: not stated, so that answers serve one run only."""

    @property
    def fingerprint(self) -> str | None:
        """SHA-256 (hex) over address, name and revision; None where no revision is stated."""
        if self.revision is None:
            return None
        return hashlib.sha256(f"{self.url}#{self.name}@{self.revision}".encode(errors="surrogatepass")).hexdigest()


def is_address(ref: str) -> bool:
    """Whether `ref` names something behind a URL."""
    return _SCHEME.match(ref.strip()) is not None


def parse(ref: str) -> Endpoint:
    """Read a reference to a server's model.

    Raises:
        WrongUsage: it cannot be meant; the message does not repeat a password.
    """
    address, _, fragment = ref.strip().partition("#")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise WrongUsage(f"{bare(ref)}: is no address: {error}; wanted {FORM}") from None
    _see(ref, parts)
    name, at, revision = fragment.rpartition("@") if "@" in fragment else (fragment, "", "")
    if not name.strip() or (at and not revision.strip()):
        what = "model" if not name.strip() else "revision behind @"
        raise WrongUsage(f"{bare(ref)}: names no {what}; wanted {FORM}")
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    origin = f"{parts.scheme.lower()}://{host}{'' if port is None else f':{port}'}"
    return Endpoint(ref.strip(), origin + parts.path.rstrip("/"), name, revision or None)


def keeps_for_this_run_only(ref: str | None) -> bool:
    """Whether `ref` names a server's model without saying which revision of it is served."""
    return ref is not None and is_address(ref) and parse(ref).revision is None


def api_key() -> str | None:
    """The key for servers, None where the environment has none.

    Raises:
        WrongUsage: it is none that can be sent; the message does not repeat it.
    """
    for variable in KEYS:
        key = os.environ.get(variable, "").strip()
        if key and not (key.isascii() and key.isprintable() and " " not in key):
            raise WrongUsage(f"{variable} holds characters that no key has (blanks, line breaks or other scripts)")
        if key:
            return key
    return None


def _see(ref: str, parts: SplitResult) -> None:
    if parts.username is not None or parts.password is not None:
        raise WrongUsage(
            f"{bare(ref)}: holds a user name or a password, which would be shown in reports and logs;"
            f" put the server's key into the environment, {KEYS[0]} or {KEYS[1]}"
        )
    if parts.scheme.lower() not in ("http", "https"):
        raise WrongUsage(f"{bare(ref)}: servers are asked by http or https; wanted {FORM}")
    if not parts.hostname:
        raise WrongUsage(f"{bare(ref)}: names no host; wanted {FORM}")
    if parts.query:
        raise WrongUsage(f"{bare(ref)}: addresses with a query (?…) are not supported; wanted {FORM}")


def bare(ref: str) -> str:
    """The address `ref` without what may be secret in it: user name, password and query; as long as a line may be."""
    address, hash_sign, fragment = ref.partition("#")
    scheme, slashes, rest = address.partition("://")
    shown, mark, _ = rest.rpartition("@")[2].partition("?")
    return f"{scheme}{slashes}{shown:.200}{'?…' if mark else ''}{hash_sign}{fragment:.200}"
