"""A run on a Ray cluster: what of the settings it takes, and the engine for it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_forgetting.answers.ray_cluster import Cluster, Needs, see_installed
from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.models.devices import Device, Places, device_for
from pytest_forgetting.models.given import GivenModel
from pytest_forgetting.models.load_options import LoadOptions
from pytest_forgetting.models.local_model import LocalModel
from pytest_forgetting.models.source import library_versions

if TYPE_CHECKING:
    from pytest_forgetting.answers.ray_engine import RayEngine
    from pytest_forgetting.answers.sides import LiveSide, SideName
    from pytest_forgetting.evaluation.found import Found
    from pytest_forgetting.settings import Settings

PROCESS_BYTES = 1 << 29
"""Of an actor with all that it imports, beside the weights."""


def on_cluster(settings: Settings, found: Iterable[Found]) -> Settings:
    """`settings` with the kind of device that actors will have; the same where no cluster is asked for.

    Raises:
        WrongUsage: Ray is not installed, or something is asked for that no cluster can give.
        CannotAnswer: the cluster cannot be reached.
    """
    found = list(found)
    if settings.engine != "ray":
        return settings
    see_installed()
    if settings.device not in ("auto", "cpu", "cuda"):
        raise WrongUsage(f"--device {settings.device}: Ray gives each actor a device; use auto, cpu or cuda")
    if any(isinstance(each, GivenModel) for each in found):
        raise WrongUsage("engine ray: a loaded model cannot be sent to other machines; give the folder of its weights")
    asked = any(isinstance(each, LocalModel) for each in found)
    return replace(settings, device=_device(settings)) if asked and settings.device == "auto" else settings


def _device(settings: Settings) -> str:
    if settings.ray_address is None:
        return "cuda" if device_for("auto") == "cuda" else "cpu"
    cluster = Cluster(settings.ray_address)
    cluster.connect()
    try:
        return "cuda" if cluster.has_gpus() else "cpu"
    finally:
        cluster.disconnect()


def load_options(settings: Settings, devices: Sequence[str]) -> LoadOptions:
    """How models are loaded on `devices`."""
    return LoadOptions(
        devices[0],
        settings.dtype,
        settings.quantization,
        settings.trust_remote_code,
        settings.allow_pickle,
        shards=tuple(devices) if len(devices) > 1 else (),
    )


def driving(settings: Settings) -> Places:
    """The right to drive: of several processes, such as xdist's workers, one drives a cluster."""
    address = "" if settings.ray_address is None else hashlib.sha256(settings.ray_address.encode()).hexdigest()[:8]
    return Places((Device(f"ray{address}", "ray"),))


def ray_engine(
    settings: Settings, sides: Mapping[SideName, LiveSide], models: Mapping[SideName, LocalModel]
) -> RayEngine:
    """The engine for `models`; nothing is started yet."""
    from pytest_forgetting.answers.ray_actor import ActorSetup
    from pytest_forgetting.answers.ray_engine import RayEngine

    versions = library_versions(adapter=any(model.is_adapter for model in models.values()))
    setup = ActorSetup(models, load_options(settings, [settings.device]), settings.batch_size, versions)
    # An adapter is put on its base's own weights; both may have to be there at once.
    sizes = {
        model.weights: model.bytes_in(sides[name].participant.dtype or "float32", settings.quantization)
        for name, model in models.items()
    }
    needs = Needs(settings.ray_cpus, int(settings.device == "cuda"), PROCESS_BYTES + int(sum(sizes.values())))
    return RayEngine(Cluster(settings.ray_address), setup, needs, settings.ray_actors)
