"""What a Ray cluster cannot do is told in one line; jobs of lost actors are done by others, within reason."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_forgetting.answers import ray_cluster
from pytest_forgetting.answers.engine import Task
from pytest_forgetting.answers.ray_actor import ActorSetup
from pytest_forgetting.answers.ray_cluster import Cluster, Needs
from pytest_forgetting.answers.ray_engine import RayEngine
from pytest_forgetting.answers.ray_pool import ActorPool
from pytest_forgetting.answers.requests import Conditions, Request
from pytest_forgetting.errors import CannotAnswer
from pytest_forgetting.models.load_options import LoadOptions
from pytest_forgetting.models.references import resolve
from tests.tiny_models import tiny_llama

NEEDS = Needs(cpus=1, gpus=0, memory=1 << 28)
ASKED = (Request("number", (), max_new_tokens=2),)


def test_actors_are_as_many_as_nodes_have_room_for() -> None:
    """By CPUs, GPUs and main memory, whichever is the shortest."""
    needs = Needs(cpus=2, gpus=1, memory=1 << 30)
    assert needs.fit_into({"CPU": 9, "GPU": 8, "memory": 64 << 30}) == 4
    assert needs.fit_into({"CPU": 64, "GPU": 8, "memory": 3 << 30}) == 3
    assert needs.fit_into({"CPU": 64, "memory": 64 << 30}) == 0
    assert NEEDS.fit_into({"CPU": 2.0, "memory": 64 << 30}) == 2


def test_a_server_that_is_no_cluster_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes connections and never answers; Ray itself would try for many minutes."""
    pytest.importorskip("ray")
    monkeypatch.setattr(ray_cluster, "ANSWER_SECONDS", 3.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(
            CannotAnswer, match=rf"{address}: no Ray cluster .*; it|: it did not answer within 3 seconds"
        ):
            Cluster(address).connect()


@pytest.fixture(scope="module")
def local_ray() -> Iterator[Any]:
    """A local cluster of two CPUs."""
    ray = pytest.importorskip("ray")
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield ray
    ray.shutdown()


def engine(folder: Path, **changes: Any) -> tuple[RayEngine, Task]:
    """An engine for a tiny model, and something to be asked."""
    model = resolve(str(tiny_llama(folder / "model")))
    told: dict[str, Any] = {"models": {"model": model}, "versions": {}, "batch_size": None}
    setup = ActorSetup(options=LoadOptions(device="cpu"), **{**told, **changes})
    task = Task("model", "./model", Conditions(model.fingerprint, None), ASKED)
    return RayEngine(Cluster(None), setup, NEEDS, 1), task


class Ignored:
    """Told in vain."""

    def begin(self, costs: object) -> None:
        """Say nothing."""

    def deliver(self, answers: object) -> None:
        """Say nothing."""


def refused(engine: RayEngine, task: Task) -> str:
    """What the engine says of a task that it cannot do."""
    with pytest.raises(CannotAnswer) as told:
        engine.ask(task, Ignored())
    engine.free()
    return str(told.value)


@pytest.mark.slow
def test_weights_that_a_node_cannot_read(tmp_path: Path, local_ray: Any) -> None:
    """The node and the folder are named, and what is wanted."""
    model = replace(resolve(str(tiny_llama(tmp_path / "model"))), weights=Path("/no/such/folder"))
    said = refused(*engine(tmp_path, models={"model": model}))
    assert "cannot read /no/such/folder; weights must lie on a file system that all nodes share" in said


@pytest.mark.slow
def test_a_node_with_another_library(tmp_path: Path, local_ray: Any) -> None:
    """Answers are stored under the driver's versions, so the actors' must be the same."""
    said = refused(*engine(tmp_path, versions={"torch": "1.0"}))
    assert "and this machine has 1.0; install one version" in said


@pytest.mark.slow
def test_a_cluster_without_room(tmp_path: Path, local_ray: Any) -> None:
    """What an actor needs is told beside what nodes have."""
    asking, task = engine(tmp_path)
    asking._needs = Needs(cpus=3, gpus=1, memory=1 << 28)
    said = refused(asking, task)
    assert said.startswith("no node of the Ray cluster has room for one actor (3 CPU, 1 GPU, 0.2 GiB); nodes: 2 CPU, ")


@pytest.mark.slow
def test_a_job_that_kills_every_actor_is_given_up(local_ray: Any) -> None:
    """After three deaths; other jobs are done meanwhile."""

    class Fragile:
        def see_ready(self) -> None:
            """Always."""

        def do(self, what: int) -> int:
            if what == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            return what

    kind = local_ray.remote(Fragile).options(num_cpus=1)
    pool, done = ActorPool(kind.remote, 2), []
    with pytest.raises(CannotAnswer, match=r"^3 Ray actors were lost over the same requests"):
        pool.run(iter([0, 1, 2, 3]), lambda actor, what: actor.do.remote(what), lambda what, _: done.append(what))
    pool.close()
    assert sorted(done) == [0, 2, 3]
