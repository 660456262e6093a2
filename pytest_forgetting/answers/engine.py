"""What computes answers: the models in this process, or a cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.requests import Conditions, Request
from pytest_forgetting.answers.special_token_findings import Form, SpecialTokens

if TYPE_CHECKING:
    from pytest_forgetting.answers.sides import SideName


@dataclass(frozen=True)
class Task:
    """What one side is asked, and what is to be found out about it by the way. Travels between processes."""

    side: SideName
    ref: str
    """As the user named the model."""
    conditions: Conditions
    requests: tuple[Request, ...]
    fixed: bool = False
    """Ask in batches of one shape."""
    drafts: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """By the position of their request, token ids that its answer may turn out to be."""
    effect: tuple[Request, ...] = ()
    """Requests on which it is to be found out whether the adapter changes any logit."""
    forms: Mapping[Form, tuple[Request, ...]] = field(default_factory=dict)
    """Requests, by their form, from which it is to be found out how prompts of that form begin."""


@dataclass(frozen=True)
class DivergenceTask:
    """Texts on which it is to be measured how far the model lies from the baseline. Travels between processes."""

    requests: tuple[Request, ...]
    """The texts, without a prompt."""
    conditions: Mapping[SideName, Conditions]


@dataclass(frozen=True)
class Noted:
    """What was found out by the way."""

    effect: bool | None = None
    """Whether the adapter changes logits; None: there is none, or it was not to be found out."""
    special_tokens: Mapping[Form, SpecialTokens] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """What a reader of the report should know about how the models were loaded."""


class Heard(Protocol):
    """Told about answers as they come."""

    def begin(self, costs: Mapping[int, int]) -> None:
        """All that may be costly is known: what each request costs, by its position."""

    def deliver(self, answers: dict[int, Answer]) -> None:
        """Some answers are there, by the position of their request."""


class Engine(Protocol):
    """Computes answers. It is used by one thread at a time."""

    def settle(self, devices: Sequence[str]) -> None:
        """Compute on `devices`, in torch's names, from now on; models on others were let go before."""

    def is_ready(self, side: SideName) -> bool:
        """Whether `side` can answer at once, without being loaded."""

    def ask(self, task: Task, heard: Heard) -> Noted:
        """Do all of `task`, handing over answers as they come.

        Raises:
            CannotAnswer: a model does not load or cannot be asked, or memory does not suffice.
        """

    def measure_divergence(self, task: DivergenceTask, heard: Heard) -> Sequence[str]:
        """Measure how far the model lies from the baseline on each text; answers have (nats, tokens) as scores.

        Returns:
            What a reader of the report should know about how the models were loaded.

        Raises:
            CannotAnswer: a model does not load.
        """

    def free(self) -> None:
        """Let go of the models; they are loaded anew when they are asked again."""
