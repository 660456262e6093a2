"""What runs in a Ray actor: the local engine, on whatever node Ray has put it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.engine import DivergenceTask, Noted, Task
from pytest_forgetting.answers.local_engine import LocalEngine
from pytest_forgetting.answers.sides import SideName
from pytest_forgetting.errors import CannotAnswer
from pytest_forgetting.models.load_options import LoadOptions
from pytest_forgetting.models.local_model import LocalModel
from pytest_forgetting.models.source import library_versions

if TYPE_CHECKING:
    from pytest_forgetting.models.loading import LoadedPair


@dataclass(frozen=True)
class ActorSetup:
    """What an actor must know before it is asked anything."""

    models: Mapping[SideName, LocalModel]
    """By paths, which must mean the same files on all nodes."""
    options: LoadOptions
    batch_size: int | None
    versions: Mapping[str, str]
    """Of the libraries on the driver's side, under which answers are stored."""


class AnsweringActor:
    """Holds the pair on one node and answers shares of what is asked."""

    def __init__(self, setup: ActorSetup) -> None:
        """Prepare; nothing is loaded."""
        self._setup = setup
        self._engine = LocalEngine(self._load, setup.batch_size)

    def see_ready(self) -> None:
        """See that this node has the weights, and the libraries of the driver.

        Raises:
            CannotAnswer: it has not.
        """
        import ray

        address: Any = ray.util.get_node_ip_address  # it is not typed
        here = f"the Ray node {address()}"
        for model in self._setup.models.values():
            for folder in (model.weights, model.adapter, model.tokenizer):
                if folder is not None and not folder.is_dir():
                    raise CannotAnswer(
                        f"{model.ref}: {here} cannot read {folder}; weights must lie on a file system that all nodes"
                        " share, under one path"
                    )
        adapter = any(model.is_adapter for model in self._setup.models.values())
        for name, version in library_versions(adapter=adapter).items():
            wanted = self._setup.versions.get(name, version)
            if version != wanted:
                raise CannotAnswer(f"{here} has {name} {version}, and this machine has {wanted}; install one version")

    def ask(self, task: Task) -> tuple[dict[int, Answer], Noted]:
        """All answers, and what was found out by the way.

        Raises:
            CannotAnswer: a model does not load or cannot be asked.
        """
        heard = _Kept()
        noted = self._engine.ask(task, heard)
        return heard.answers, noted

    def measure_divergence(self, task: DivergenceTask) -> tuple[dict[int, Answer], tuple[str, ...]]:
        """The divergence on each text, and notes about loading.

        Raises:
            CannotAnswer: a model does not load.
        """
        heard = _Kept()
        notes = self._engine.measure_divergence(task, heard)
        return heard.answers, tuple(notes)

    def _load(self, devices: Sequence[str]) -> LoadedPair:  # noqa: ARG002 - Ray has chosen
        from pytest_forgetting.models.loading import LoadedPair

        return LoadedPair(self._setup.models, self._setup.options)


class _Kept:
    """Keeps answers until all of a share are there."""

    def __init__(self) -> None:
        self.answers: dict[int, Answer] = {}

    def begin(self, costs: Mapping[int, int]) -> None:
        """The driver has told of it already."""

    def deliver(self, answers: dict[int, Answer]) -> None:
        """Keep them."""
        self.answers.update(answers)
