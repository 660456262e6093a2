"""What asks the sides of an evaluation: models in this process, actors of a cluster, or servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from pytest_forgetting.answers.interview import Interview
from pytest_forgetting.answers.local_engine import LocalEngine
from pytest_forgetting.answers.served_interview import AnyInterview, ServedInterview
from pytest_forgetting.answers.served_side import ServedSide
from pytest_forgetting.answers.sides import LiveSide, Side, SideName
from pytest_forgetting.answers.slot import Slots
from pytest_forgetting.cache import cache_folder, on_local_disk
from pytest_forgetting.evaluation.cluster import driving, load_options, ray_engine
from pytest_forgetting.evaluation.found import Found, Live
from pytest_forgetting.evaluation.opening_sides import REQUEST_SECONDS
from pytest_forgetting.models.devices import Places, places_for
from pytest_forgetting.models.given import GivenModel
from pytest_forgetting.models.local_model import LocalModel

if TYPE_CHECKING:
    from pytest_forgetting.answers.engine import Engine
    from pytest_forgetting.answers.store import Store
    from pytest_forgetting.models.loading import LoadedPair
    from pytest_forgetting.settings import Settings


def interview_of(
    found: Mapping[SideName, Found], sides: Mapping[SideName, Side], settings: Settings, store: Store
) -> AnyInterview | None:
    """What asks the sides; None where nobody can be asked.

    Args:
        found: both, as they were found.
        sides: both, opened.
        settings: of the run.
        store: where answers are kept.
    """
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
