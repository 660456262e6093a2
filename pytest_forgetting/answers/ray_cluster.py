"""A Ray cluster as this process sees it: reached or started, quietly, and left again."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from pytest_forgetting.errors import CannotAnswer, WrongUsage

OPTION = "--forgetting-ray-address"
REACH_SECONDS = 5.0
"""Within which a host takes a connection."""
ANSWER_SECONDS = 40.0
"""Within which a cluster says how it is; Ray itself would try for many minutes."""
STORE_BYTES = 128 << 20
"""Of a local cluster's object store, in shared memory: answers are small."""
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else Ray warns of what this will mean in later versions
}
"""Environment under which Ray sends no telemetry and writes nothing into the terminal."""


@dataclass(frozen=True)
class Needs:
    """What one actor takes of a node."""

    cpus: int
    gpus: int
    memory: int
    """Bytes of main memory."""

    def fit_into(self, node: Mapping[str, float]) -> int:
        """How many such actors a node with these resources has room for."""
        rooms = [int(node.get("CPU", 0) // self.cpus), int(node.get("memory", 0) // self.memory)]
        return min(rooms + ([int(node.get("GPU", 0) // self.gpus)] if self.gpus else []))

    def __str__(self) -> str:
        """As a person reads it."""
        return _told({"CPU": self.cpus, "GPU": self.gpus, "memory": self.memory})


class Cluster:
    """A local cluster of this process's own, or one that runs already."""

    def __init__(self, address: str | None) -> None:
        """Do nothing yet.

        Args:
            address: HOST:PORT of a running cluster, or ``auto``; None: start one on this machine.
        """
        self._address = address
        self._ours = False

    def connect(self) -> None:
        """Reach or start it; one that this process is connected with already is taken as it is.

        Raises:
            CannotAnswer: it cannot be reached within a minute, or does not start.
        """
        import ray

        if ray.is_initialized():
            return
        with _environment(QUIET):
            if self._address is not None:
                _see_alive(self._address)
            where: dict[str, Any] = {"address": self._address or "local"}
            if self._address is None:
                where |= {"include_dashboard": False, "object_store_memory": STORE_BYTES}
            try:
                ray.init(**where, logging_level=logging.CRITICAL, log_to_driver=False)
            except (Exception, SystemExit) as error:  # Ray ends the process where its own time limit is over
                what = "a local Ray cluster does not start" if self._address is None else f"{OPTION} {self._address}"
                raise CannotAnswer(f"{what}: {first_line(error)}") from None
        self._ours = True

    def disconnect(self) -> None:
        """Leave it, and end it where it was started here."""
        if self._ours:
            import ray

            ray.shutdown()
            self._ours = False

    def has_gpus(self) -> bool:
        """Whether any node has a GPU."""
        return any(node.get("GPU", 0) for node in self._nodes())

    def room_for(self, needs: Needs) -> int:
        """How many actors it has room for, at least one.

        Raises:
            CannotAnswer: no node can take a single one.
        """
        nodes = self._nodes()
        room = sum(map(needs.fit_into, nodes))
        if room == 0:
            there = "; ".join(map(_told, nodes)) or "none"
            raise CannotAnswer(f"no node of the Ray cluster has room for one actor ({needs}); nodes: {there}")
        return room

    def _nodes(self) -> list[dict[str, float]]:
        import ray

        nodes: Any = ray.nodes  # it is not typed
        return [node["Resources"] for node in nodes() if node["Alive"]]


def see_installed() -> None:
    """See that Ray is there.

    Raises:
        WrongUsage: it is not.
    """
    if find_spec("ray") is None:
        raise WrongUsage("--forgetting-engine ray needs Ray: pip install 'pytest-forgetting[ray]'")


def _see_alive(address: str) -> None:
    """See that a cluster answers at `address`, in a process of its own, as Ray cannot be stopped while it tries."""
    nobody = f"{OPTION} {address}: no Ray cluster can be reached there"
    if address != "auto":
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), REACH_SECONDS).close()
        except OSError as error:
            raise CannotAnswer(f"{nobody}: {error.strerror or error}") from None
    command = [sys.executable, "-m", "ray.scripts.scripts", "status", "--address", address]
    try:
        done = subprocess.run(command, capture_output=True, timeout=ANSWER_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise CannotAnswer(f"{nobody}: it did not answer within {ANSWER_SECONDS:.0f} seconds") from None
    if done.returncode != 0:
        raise CannotAnswer(nobody)


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Variables that are set within, unless the user has set them."""
    new = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            os.environ.pop(name, None)


def _told(resources: Mapping[str, float]) -> str:
    gpus = f", {resources['GPU']:g} GPU" if resources.get("GPU") else ""
    return f"{resources.get('CPU', 0):g} CPU{gpus}, {resources.get('memory', 0) / 2**30:.1f} GiB"


def first_line(error: object) -> str:
    """What is worth telling of an error of Ray's, which often has many lines."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
