"""Opening an evaluation: from references to the two sides, ready to be asked, and to what is known about the pair."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_forgetting.answers.called_side import CalledSide, called_ref
from pytest_forgetting.answers.engine import Engine
from pytest_forgetting.answers.facts import NO_EFFECT, effect_fact
from pytest_forgetting.answers.interview import Interview
from pytest_forgetting.answers.local_engine import LocalEngine
from pytest_forgetting.answers.requests import Conditions
from pytest_forgetting.answers.served_interview import ServedInterview
from pytest_forgetting.answers.served_side import ServedSide
from pytest_forgetting.answers.server_probe import served_side
from pytest_forgetting.answers.sides import LiveSide, RecordedSide, Side, SideName
from pytest_forgetting.answers.slot import Slots
from pytest_forgetting.answers.store import Store, Stores
from pytest_forgetting.cache import cache_folder, make_private, on_local_disk
from pytest_forgetting.comparison.comparison import Finding, Participant
from pytest_forgetting.comparison.doubts import is_half
from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.evaluation.cluster import driving, load_options, on_cluster, ray_engine
from pytest_forgetting.evaluation.evaluation import Evaluation
from pytest_forgetting.evaluation.given_sides import (
    Found,
    Live,
    as_given,
    beneath,
    described,
    in_files,
    is_base_word,
    template_kwargs,
)
from pytest_forgetting.evaluation.pair import Pair, shown_settings
from pytest_forgetting.evaluation.recorded_pair import recorded_findings, see_as_asked
from pytest_forgetting.models import recording_file
from pytest_forgetting.models.audit import audit
from pytest_forgetting.models.devices import Places, places_for
from pytest_forgetting.models.endpoint import Endpoint, is_address, parse
from pytest_forgetting.models.given import GivenModel
from pytest_forgetting.models.recording import Recording
from pytest_forgetting.models.references import BASE, LocalModel, resolve
from pytest_forgetting.models.source import library_versions
from pytest_forgetting.models.templates import Templates, choose_templates
from pytest_forgetting.models.zero_adapter import is_zero

if TYPE_CHECKING:
    from pytest_forgetting.models.loading import LoadedPair
    from pytest_forgetting.settings import Settings


REQUEST_SECONDS = 300.0
"""For one request to a server, where the user does not say otherwise (``--forgetting-request-timeout``)."""


def store_folder(chosen: Path | None) -> Path:
    """Where answers are kept: the chosen folder or the user's cache, never on a network file system.

    Raises:
        WrongUsage: the chosen folder cannot be made or written.
    """
    folder = on_local_disk(chosen or cache_folder() / "store", "store")
    try:
        make_private(folder)
    except OSError as error:
        raise WrongUsage(f"--forgetting-store {folder}: cannot be made: {error.strerror}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise WrongUsage(f"--forgetting-store {folder}: cannot be written")
    return folder


def open_evaluation(
    settings: Settings,
    folder: Path,
    given: Mapping[SideName, Found] | None = None,
    temporary: Path | None = None,
) -> Evaluation:
    """Find both models or recordings and make ready to ask; nothing is loaded yet.

    Args:
        settings: what the user asked for.
        folder: of the answer store.
        given: what a caller has at hand already, in the place of a reference.
        temporary: of a store that goes with this run, for answers of servers that do not say which weights they serve.

    Raises:
        WrongUsage: a reference names nothing.
        CannotAnswer: a model cannot be read, or a server does not answer.
    """
    store = Store(folder)
    found = _find(settings, given or {})
    _see_template(settings.chat_template, found)
    templates = choose_templates(
        settings.chat_template, {name: each for name, each in found.items() if isinstance(each, Live)}
    )
    _fingerprint(found.values())
    settings = on_cluster(as_given(settings, found.values()), found.values())
    stores = Stores(store, temporary or folder)
    sides: dict[SideName, Side] = {name: _side(name, each, settings, templates, stores) for name, each in found.items()}
    candidate = found["model"]
    is_adapter = isinstance(candidate, Live) and candidate.is_adapter
    _notice_zero_adapter(candidate, sides["model"], store)
    see_as_asked(found, templates, template_kwargs(settings))
    told = (*templates.findings, *recorded_findings(sides), *_audit(found, store))
    files = tuple(dict.fromkeys(each for each in found.values() if isinstance(each, LocalModel)))
    pair = Pair(sides, told, stores, settings, None, is_adapter, files)
    pair.interview = _interview(found, sides, settings, store)
    shown = shown_settings(settings)
    return Evaluation(sides, pair, pair.interview, settings.confidence, shown, keep_thoughts=settings.think == "keep")


def _fingerprint(found: Iterable[Found]) -> None:
    """Hash the files of both models side by side; what is hashed is remembered."""
    models = [each for each in found if isinstance(each, Live)]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda model: model.fingerprint, models))


def _find(settings: Settings, given: Mapping[SideName, Found]) -> dict[SideName, Found]:
    """Both sides; without a model the baseline stands on both, to be recorded."""
    if settings.model is None:
        alone = given.get("baseline") or _locate(str(settings.baseline), None, settings)
        return {"baseline": alone, "model": alone}
    model = given["model"] if "model" in given else _locate(settings.model, None, settings)
    if "baseline" in given:
        return {"baseline": beneath(model, given["baseline"]), "model": model}
    if isinstance(model, GivenModel) and (settings.baseline is None or is_base_word(settings.baseline)):
        return {"baseline": model.base(), "model": model}
    candidate = model if isinstance(model, LocalModel) else None
    if settings.baseline is not None:
        return {"baseline": _locate(settings.baseline, candidate, settings), "model": model}
    if candidate is None or candidate.adapter is None:
        named = f"--model {settings.model}" if isinstance(model, Live | Recording | Endpoint) else called_ref(model)
        raise WrongUsage(f"{named} is no adapter: name the model it was tuned from, --baseline REF")
    # Not by the word `base`: a folder of that name goes before the base that the adapter records.
    return {"baseline": candidate.base(BASE), "model": model}


def _locate(ref: str, candidate: LocalModel | None, settings: Settings) -> Found:
    if is_address(ref):
        return parse(ref)
    if ref.endswith(".json") and not Path(ref).is_dir():
        return recording_file.read(ref)
    return resolve(ref, candidate=candidate, allow_pickle=settings.allow_pickle)


def _see_template(which: str, found: Mapping[SideName, Found]) -> None:
    served = next((each for each in found.values() if isinstance(each, Endpoint)), None)
    if served is not None and which not in ("own", "none"):
        raise WrongUsage(
            f"--chat-template {which}: {served.ref} is a server, which applies its own template and tells none; give"
            " the template to the server, or ask in plain text: --chat-template none"
        )


def _side(name: SideName, found: Found, settings: Settings, templates: Templates, stores: Stores) -> Side:
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
        return _as_recorded(LiveSide(*described(found, templates.by_side[name], settings), store), settings)
    from pytest_forgetting.models.loading import device_for, dtype_for

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
    return _as_recorded(LiveSide(participant, conditions, store, base=base), settings)


def _as_recorded(side: LiveSide, settings: Settings) -> LiveSide:
    """A recording holds in half precision only what is said in batches of one shape: nothing else is asked for it."""
    return side.anew if settings.model is None and is_half(side.participant) else side


def _audit(found: Mapping[SideName, Found], store: Store) -> tuple[Finding, ...]:
    """What the files of the two tell; a recording has none."""
    baseline, model = found["baseline"], found["model"]
    if not (isinstance(baseline, Live) and isinstance(model, Live)):
        return ()
    with tempfile.TemporaryDirectory(prefix="pytest-forgetting-") as folder:
        return audit(in_files(baseline, Path(folder, "baseline")), in_files(model, Path(folder, "model")), store)


def _notice_zero_adapter(model: Found, side: Side, store: Store) -> None:
    """Know before anything is asked that an adapter is without effect, where its files tell."""
    if isinstance(model, LocalModel) and isinstance(side, LiveSide) and model.adapter is not None:
        fact = effect_fact(side)
        if store.fact(fact) is None and is_zero(model.adapter) and not model.is_overwritten():
            store.remember(fact, NO_EFFECT)


def _interview(
    found: Mapping[SideName, Found], sides: Mapping[SideName, Side], settings: Settings, store: Store
) -> Interview | ServedInterview | None:
    local = _local_interview(found, sides, settings, store)
    served = {name: side for name, side in sides.items() if isinstance(side, ServedSide)}
    if not served:
        return local
    beside = next((side.source for name, side in sides.items() if name not in served), None)
    limit = settings.request_timeout or REQUEST_SECONDS
    return ServedInterview(served, local, settings.batch_size, limit, beside=beside)


def _local_interview(
    found: Mapping[SideName, Found], sides: Mapping[SideName, Side], settings: Settings, store: Store
) -> Interview | None:
    local = {name: each for name, each in found.items() if isinstance(each, Live)}
    live = {name: side for name, side in sides.items() if isinstance(side, LiveSide)}
    if not local:
        return None

    slots = on_local_disk(cache_folder() / "slots", "slots")
    slots.mkdir(exist_ok=True)
    if settings.engine == "ray":
        engine: Engine = ray_engine(
            settings, live, {n: each for n, each in local.items() if isinstance(each, LocalModel)}
        )
        return Interview(live, engine, store, Slots(slots, partial(driving, settings)))

    def load(devices: Sequence[str]) -> LoadedPair:
        from pytest_forgetting.models.loading import LoadedPair

        return LoadedPair(local, load_options(settings, devices))

    places = partial(_places, settings, live, local)
    return Interview(live, LocalEngine(load, settings.batch_size), store, Slots(slots, places))


def _places(settings: Settings, sides: Mapping[SideName, LiveSide], found: Mapping[SideName, Live]) -> Places:
    """Where the models can be held; one that the caller has loaded stays where it is."""
    given = next((each for each in found.values() if isinstance(each, GivenModel)), None)
    choice = settings.device if given is None else str(given.plain.device)
    needed = [
        each.bytes_in(sides[name].participant.dtype or "float32", settings.quantization)
        for name, each in found.items()
        if isinstance(each, LocalModel)
    ]
    return places_for(choice, max(needed, default=0.0))
