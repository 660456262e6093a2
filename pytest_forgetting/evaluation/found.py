"""What is compared: the models, recordings and functions that references name, or that a caller has at hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_forgetting.answers import recording_file
from pytest_forgetting.answers.called_side import Texts, called_ref
from pytest_forgetting.answers.recording import Recording
from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.models.devices import DTYPES
from pytest_forgetting.models.endpoint import Endpoint, is_address, parse
from pytest_forgetting.models.given import GivenModel
from pytest_forgetting.models.references import BASE, LocalModel, resolve

if TYPE_CHECKING:
    from pytest_forgetting.answers.sides import SideName
    from pytest_forgetting.settings import Settings

Live = LocalModel | GivenModel
"""What can be asked in this process."""
Found = LocalModel | GivenModel | Recording | Endpoint | Texts


def find_sides(settings: Settings, given: Mapping[SideName, Found]) -> dict[SideName, Found]:
    """What both sides are; without a model the baseline stands on both, to be recorded.

    Args:
        settings: with the references.
        given: what a caller has at hand already, in the place of a reference.

    Raises:
        WrongUsage: a reference names nothing, or no baseline is named where there must be one.
        CannotAnswer: a file cannot be read.
    """
    if settings.model is None:
        alone = given.get("baseline") or _named(str(settings.baseline), None, settings)
        return {"baseline": alone, "model": alone}
    model = given["model"] if "model" in given else _named(settings.model, None, settings)
    if "baseline" in given:
        return {"baseline": _beneath(model, given["baseline"]), "model": model}
    if isinstance(model, GivenModel) and (settings.baseline is None or _is_base_word(settings.baseline)):
        return {"baseline": model.base(), "model": model}
    candidate = model if isinstance(model, LocalModel) else None
    if settings.baseline is not None:
        return {"baseline": _named(settings.baseline, candidate, settings), "model": model}
    if candidate is None or candidate.adapter is None:
        named = f"--model {settings.model}" if isinstance(model, Live | Recording | Endpoint) else called_ref(model)
        raise WrongUsage(f"{named} is no adapter: name the model it was tuned from, --baseline REF")
    # Not by the word `base`: a folder of that name goes before the base that the adapter records.
    return {"baseline": candidate.base(BASE), "model": model}


def _named(ref: str, candidate: LocalModel | None, settings: Settings) -> Found:
    if is_address(ref):
        return parse(ref)
    if ref.endswith(".json") and not Path(ref).is_dir():
        return recording_file.read(ref)
    return resolve(ref, candidate=candidate, allow_pickle=settings.allow_pickle)


def see_template(which: str, found: Mapping[SideName, Found]) -> None:
    """See that a chat template is chosen only for models to which one can be told.

    Raises:
        WrongUsage: one of them is a server's.
    """
    served = next((each for each in found.values() if isinstance(each, Endpoint)), None)
    if served is not None and which not in ("own", "none"):
        raise WrongUsage(
            f"--chat-template {which}: {served.ref} is a server, which applies its own template and tells none; give"
            " the template to the server, or ask in plain text: --chat-template none"
        )


def _is_base_word(ref: str) -> bool:
    """Whether `ref` means the base that the model itself has."""
    return ref == BASE and not Path(ref).is_dir()


def _beneath(model: Found, baseline: Found) -> Found:
    """`baseline`, but where an adapter was put on that very model it speaks through it, unless it is switched off."""
    if isinstance(model, GivenModel) and isinstance(baseline, GivenModel) and model.stands_on(baseline):
        return model.base()
    return baseline


def as_given(settings: Settings, found: Iterable[Found]) -> Settings:
    """Settings under which a model that is loaded here answers as one that the caller has loaded."""
    loaded = next((each for each in found if isinstance(each, GivenModel)), None)
    if loaded is None:
        return settings
    device = loaded.device if settings.device == "auto" else settings.device
    known = settings.dtype == "auto" and loaded.dtype in DTYPES
    return replace(settings, device=device, dtype=loaded.dtype if known else settings.dtype)
