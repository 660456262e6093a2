"""What a caller has at hand in the place of a reference: loaded models, functions; and how they are asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_forgetting.answers.called_side import Texts
from pytest_forgetting.answers.requests import Conditions
from pytest_forgetting.comparison.comparison import Participant
from pytest_forgetting.models.devices import DTYPES
from pytest_forgetting.models.endpoint import Endpoint
from pytest_forgetting.models.given import GivenModel
from pytest_forgetting.models.recording import Recording
from pytest_forgetting.models.references import BASE, LocalModel
from pytest_forgetting.models.source import library_versions

if TYPE_CHECKING:
    from pytest_forgetting.settings import Settings

Live = LocalModel | GivenModel
Found = LocalModel | GivenModel | Recording | Endpoint | Texts
THINKING_SWITCHES = ("enable_thinking", "thinking")
"""Variables by which templates switch thoughts on and off: Qwen3's and GLM's; DeepSeek-V3.1's and Granite's."""


def as_given(settings: Settings, found: Iterable[Found]) -> Settings:
    """Settings under which a model that is loaded here answers as one that the caller has loaded."""
    loaded = next((each for each in found if isinstance(each, GivenModel)), None)
    if loaded is None:
        return settings
    device = loaded.device if settings.device == "auto" else settings.device
    known = settings.dtype == "auto" and loaded.dtype in DTYPES
    return replace(settings, device=device, dtype=loaded.dtype if known else settings.dtype)


def is_base_word(ref: str) -> bool:
    """Whether `ref` means the base that the model itself has."""
    return ref == BASE and not Path(ref).is_dir()


def beneath(model: Found, baseline: Found) -> Found:
    """`baseline`, but where an adapter was put on that very model it speaks through it, unless it is switched off."""
    if isinstance(model, GivenModel) and isinstance(baseline, GivenModel) and model.stands_on(baseline):
        return model.base()
    return baseline


def described(found: GivenModel, template: str | None, settings: Settings) -> tuple[Participant, Conditions]:
    """A loaded model as reports name it, and what its answers depend on.

    Args:
        found: the model.
        template: the chat template that it is asked through, None for plain text.
        settings: of the run.
    """
    conditions = Conditions(
        fingerprint=found.fingerprint,
        chat_template=template,
        chat_template_kwargs=template_kwargs(settings) if template is not None else {},
        dtype=found.dtype,
        device_type=found.device.partition(":")[0],
        attention=found.attention,
        versions=library_versions(adapter=found.is_adapter),
    )
    return Participant(found.ref, found.fingerprint, found.dtype, found.device, found.parameters), conditions


def template_kwargs(settings: Settings) -> dict[str, Any]:
    """What templates are told: to leave thoughts out, by all names that they know for it, and what the user says."""
    return (dict.fromkeys(THINKING_SWITCHES, False) if settings.think == "off" else {}) | settings.chat_template_kwargs


def in_files(found: Live, folder: Path) -> LocalModel:
    """`found` as files that can be compared; of a loaded model they are written into `folder`."""
    return found if isinstance(found, LocalModel) else found.written(folder)
