"""Where answers come from: the model, and how it was asked; what two such sources differ in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from pytest_forgetting.comparison.participants import NOT_STATED, Finding, Participant

if TYPE_CHECKING:
    from pytest_forgetting.suites.cases import Prompt

LIBRARIES = ("torch", "transformers")
"""That compute every answer; those of an adapter take peft too."""
SERVERS_OWN = "of the server"
"""In the place of a template's hash where a server applies one that it does not tell."""
SHOWN_OF_A_HASH = 12
"""Characters of a fingerprint that a message shows."""


@dataclass(frozen=True)
class Source:
    """What all answers of one side have in common."""

    participant: Participant
    chat_template: str | None = None
    """SHA-256 (hex) of the template that the model is asked through, None for plain text."""
    chat_template_kwargs: Mapping[str, Any] = field(default_factory=dict)
    quantization: str = "none"
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of the libraries that compute the answers, by name."""
    base: str | None = None
    """Fingerprint of the model that an adapter stands on; None for a full checkpoint."""

    def asks_chat(self, prompt: Prompt) -> bool:
        """Whether `prompt` is put through the chat template; a server does not do it where texts are scored."""
        return self.chat_template is not None and not (prompt.continuations and self.chat_template == SERVERS_OWN)

    def portable(self) -> Source:
        """The same without what is this machine's own: where a folder lies, which of several devices is used."""
        who = self.participant
        device = None if who.device is None else who.device.partition(":")[0]
        return replace(self, participant=replace(who, ref=_portable(who.ref), device=device))


def library_versions(*, adapter: bool) -> dict[str, str]:
    """Of the libraries that compute the answers of a model, or of an adapter, by name."""
    return {name: version(name) for name in (*LIBRARIES, *(["peft"] if adapter else []))}


def template_digest(template: str) -> str:
    """SHA-256 (hex) of a chat template; jinja drops a line break at its end."""
    return hashlib.sha256(template.removesuffix("\n").encode()).hexdigest()


def _portable(ref: str) -> str:
    """`ref`, of a folder that is named from the root, the user's home or above here only its own name."""
    parts = PurePath(ref).parts
    if PurePath(ref).is_absolute() or ".." in parts or ref.startswith("~"):
        try:
            return Path(ref).expanduser().resolve().name or ref
        except (OSError, RuntimeError, ValueError):  # no such user, a loop of links, a NUL, a name that is too long
            return PurePath(ref).name or ref
    return ref


def differences(recorded: Source, now: Source) -> list[str]:
    """All that makes answers of `recorded` no answers of `now`, each with both values; their names make no difference.

    Args:
        recorded: as a file tells it.
        now: the model that is at hand.
    """
    had, has = recorded.portable(), now.portable()
    told = [
        _unidentified(had, has),
        _unlike("weights", _short(had.participant.fingerprint), _short(has.participant.fingerprint)),
        _unlike("chat template", _short(had.chat_template), _short(has.chat_template)),
        _unlike("chat template arguments", dict(had.chat_template_kwargs), dict(has.chat_template_kwargs)),
        _unlike("dtype", had.participant.dtype, has.participant.dtype),
        _unlike("quantization", had.quantization, has.quantization),
        _unlike("device", had.participant.device, has.participant.device),
        *(_unlike(name, had.versions.get(name), has.versions.get(name)) for name in _libraries(had, has)),
    ]
    return [each for each in told if each is not None]


def _unidentified(*sources: Source) -> str | None:
    """Of servers whose revision is not stated no two answers are known to be of the same weights."""
    unknown = next((source.participant.ref for source in sources if not source.participant.is_identified), None)
    return None if unknown is None else f"which weights answer as {_said(unknown)} is not stated (#NAME@REVISION)"


def _unlike(what: str, had: Any, has: Any) -> str | None:
    return None if had == has else f"{what} {_said(had)} recorded, {_said(has)} now"


def _said(value: Any) -> str:
    return "none" if value is None else " ".join(f"{value!s:.200}".split())


def _short(digest: str | None) -> str | None:
    return digest if digest in (None, SERVERS_OWN, NOT_STATED) else digest[:SHOWN_OF_A_HASH]


def _libraries(*sources: Source) -> list[str]:
    return sorted({name for source in sources for name in source.versions})


def unlike_sources(baseline: Source, model: Source) -> Iterator[Finding]:
    """What two sides that were not asked in one run may differ in, besides the weights; what is not known differs not.

    A warning each: rounding and defects of libraries can change answers as a tuning does.
    """
    had, has = baseline.portable(), model.portable()
    pairs: list[tuple[str, Any, Any]] = [
        ("dtype", had.participant.dtype, has.participant.dtype),
        ("device", had.participant.device, has.participant.device),
        ("quantization", had.quantization, has.quantization),
    ]
    pairs += [(name, had.versions.get(name), has.versions.get(name)) for name in _libraries(had, has)]
    ways = {"dtype": "in", "device": "on a device of kind", "quantization": "with quantization"}
    for name, before, now in pairs:
        if before != now and before is not None and now is not None:
            way = ways.get(name, f"under {name}")
            finding = name if name in ways else "versions"
            yield Finding(finding, "warning", f"the baseline answers {way} {before}, the model {way} {now}")


def unlike_templates(baseline: Source, model: Source) -> Iterator[Finding]:
    """The same for chat templates, which a recording knows by their hash."""
    had, has = baseline.chat_template, model.chat_template
    if had == has or (SERVERS_OWN in (had, has) and None not in (had, has)):  # of a server's nobody knows the other
        return
    detail = "the chat templates differ; each side is asked through its own"
    if has is None:
        detail = "the baseline was asked through a chat template; the model has none, and is asked in plain text"
    elif had is None:
        detail = "the baseline was asked in plain text; the model is asked through a chat template"
    yield Finding("chat-template", "warning", f"{detail} (--chat-template none or FILE, when recording too)")
