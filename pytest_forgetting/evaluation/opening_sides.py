"""From what was found to a side that can be asked: under which conditions it answers, and where answers are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_forgetting.answers.called_side import CalledSide, called_ref
from pytest_forgetting.answers.recording import Recording
from pytest_forgetting.answers.requests import Conditions
from pytest_forgetting.answers.server_probe import served_side
from pytest_forgetting.answers.sides import LiveSide, RecordedSide, Side, SideName
from pytest_forgetting.comparison.doubts import is_half
from pytest_forgetting.comparison.participants import Participant
from pytest_forgetting.evaluation.found import Found, Live
from pytest_forgetting.models.devices import device_for, dtype_for
from pytest_forgetting.models.endpoint import Endpoint
from pytest_forgetting.models.given import GivenModel
from pytest_forgetting.models.source import library_versions

if TYPE_CHECKING:
    from pytest_forgetting.answers.store import Store
    from pytest_forgetting.answers.stores import Stores
    from pytest_forgetting.models.local_model import LocalModel
    from pytest_forgetting.models.templates import Templates
    from pytest_forgetting.settings import Settings

REQUEST_SECONDS = 300.0
"""For one request to a server, where the user does not say otherwise (``--forgetting-request-timeout``)."""
THINKING_SWITCHES = ("enable_thinking", "thinking")
"""Variables by which templates switch thoughts on and off: Qwen3's and GLM's; DeepSeek-V3.1's and Granite's."""


def open_side(name: SideName, found: Found, settings: Settings, templates: Templates, stores: Stores) -> Side:
    """The side that answers as what was found; nothing is loaded yet.

    Args:
        name: which of the two.
        found: what answers.
        settings: of the run.
        templates: the chat templates that were chosen.
        stores: where answers are kept.

    Raises:
        WrongUsage: a server does not serve the model, or an option of loading cannot be had.
        CannotAnswer: a server does not answer, or a model's files cannot be read.
    """
    store = stores.lasting
    if isinstance(found, Recording):
        return RecordedSide(found)
    if isinstance(found, Endpoint):
        plain, limit = settings.chat_template == "none", settings.request_timeout or REQUEST_SECONDS
        # The same name may be served with other weights tomorrow.
        keeping = stores.temporary if found.revision is None else store
        return served_side(found, keeping, plain=plain, kwargs=template_kwargs(settings), time_limit=limit)
    if not isinstance(found, Live):
        ref = called_ref(found)
        return CalledSide(Participant(ref, f"{name}: {ref}"), found, settings.batch_size)
    if isinstance(found, GivenModel):
        return _as_recorded(LiveSide(*_described(found, templates.by_side[name], settings), store), settings)
    return _as_recorded(_local_side(name, found, settings, templates, store), settings)


def _local_side(name: SideName, found: LocalModel, settings: Settings, templates: Templates, store: Store) -> LiveSide:
    device = settings.device if settings.engine == "ray" else device_for(settings.device)
    dtype = dtype_for(settings.dtype, device, found.config_dtype, found.parameters)
    conditions = Conditions(
        fingerprint=found.fingerprint,
        chat_template=templates.by_side[name],
        chat_template_kwargs=template_kwargs(settings) if templates.by_side[name] is not None else {},
        dtype=dtype,
        device_type=device.partition(":")[0],
        quantization=settings.quantization,
        versions=library_versions(adapter=found.is_adapter),
    )
    participant = Participant(found.ref, found.fingerprint, dtype, device, found.parameters)
    base = None if found.adapter is None else found.weights_fingerprint
    return LiveSide(participant, conditions, store, base=base)


def _described(found: GivenModel, template: str | None, settings: Settings) -> tuple[Participant, Conditions]:
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


def _as_recorded(side: LiveSide, settings: Settings) -> LiveSide:
    """A recording holds in half precision only what is said in batches of one shape: nothing else is asked for it."""
    return side.anew if settings.model is None and is_half(side.participant) else side


def template_kwargs(settings: Settings) -> dict[str, Any]:
    """What templates are told: to leave thoughts out, by all names that they know for it, and what the user says."""
    return (dict.fromkeys(THINKING_SWITCHES, False) if settings.think == "off" else {}) | settings.chat_template_kwargs
