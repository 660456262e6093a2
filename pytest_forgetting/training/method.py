"""What a way of fine-tuning is: which parameters it trains, and on what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Protocol

from pytest_forgetting.training.examples import REPLAY, Example, digest, read_examples
from pytest_forgetting.training.recipe import Recipe
from pytest_forgetting.training.steps import OnStep

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Passes = Sequence[Sequence[Example]]
"""The examples of each pass of a training; one pass may hold others than the next."""

Term = Callable[[Any, Mapping[str, Any], "torch.Tensor"], "torch.Tensor"]
"""From the model in training, the batch it has just read and its logits, to a scalar on its device."""


@dataclass(frozen=True)
class Penalty:
    """What a method adds to the loss."""

    term: Term
    kept: Mapping[str, torch.Tensor] = field(default_factory=dict)
    """What a next tuning of the tuned model wants to know of this one, on the CPU; saved beside the weights."""

    def __add__(self, other: Penalty | None) -> Penalty:
        """Both."""
        if other is None:
            return self
        return Penalty(lambda *step: self.term(*step) + other.term(*step), {**other.kept, **self.kept})


class Method(Protocol):
    """One way of fine-tuning; a frozen dataclass, so that it can be part of a cache key."""

    @property
    def recipe(self) -> Recipe:
        """How hard it trains."""

    def loading(self) -> Mapping[str, Any]:
        """How the base is loaded: arguments of transformers' `from_pretrained`."""

    def passes(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        domain: Sequence[Example],
        on_step: OnStep,
    ) -> Passes:
        """What is trained on, given the still untouched `model`; `on_step` hears of the work that this takes."""

    def adapt(self, model: PreTrainedModel) -> Any:
        """The model as it is trained: with some of its parameters frozen, or in a `PeftModel`."""

    def penalty(self, trained: Any, tokenizer: PreTrainedTokenizerBase, on_step: OnStep) -> Penalty | None:
        """What is added to the loss of each step, taken from the model `trained` before its first step."""


def described(method: Method) -> dict[str, Any]:
    """The method with its settings, for manifests and cache keys; of data that it holds, the hash."""
    settings: dict[str, Any] = {"name": type(method).__name__}
    for each in fields(method):  # type: ignore[arg-type]  # each method is a dataclass, which a protocol cannot ask
        value = getattr(method, each.name)
        if each.name == "general":
            value = None if value is None else digest(value)
        elif each.name == "of":
            value = described(value)
        elif isinstance(value, Recipe):
            value = asdict(value)
        settings[each.name] = list(value) if isinstance(value, tuple) else value
    return settings


class OnDomain:
    """Passes over the domain's examples and nothing else."""

    recipe: Recipe

    def passes(
        self,
        model: PreTrainedModel,  # noqa: ARG002 - other methods need it
        tokenizer: PreTrainedTokenizerBase,  # noqa: ARG002 - other methods need it
        domain: Sequence[Example],
        on_step: OnStep,  # noqa: ARG002 - other methods need it
    ) -> Passes:
        """The same examples again and again."""
        return [domain] * self.recipe.epochs


class InFloat32:
    """Trains on the base in full precision: small steps would be lost in half."""

    def loading(self) -> Mapping[str, Any]:
        """The data type."""
        return {"dtype": "float32"}


class Unpenalised:
    """Trains on its examples' loss alone."""

    def penalty(
        self,
        trained: Any,  # noqa: ARG002 - other methods need it
        tokenizer: PreTrainedTokenizerBase,  # noqa: ARG002 - other methods need it
        on_step: OnStep,  # noqa: ARG002 - other methods need it
    ) -> Penalty | None:
        """None."""
        return None


def read_general(method: Any) -> None:
    """Read the `general` set of a frozen dataclass into a tuple: it is wanted more than once, and faults at once.

    Raises:
        WrongUsage: it cannot be learned from.
    """
    if method.general is not None:
        object.__setattr__(method, "general", tuple(read_examples(method.general, REPLAY)))


class Around:
    """Another method with something added; whatever a subclass does not say is the other's."""

    of: Method

    @property
    def recipe(self) -> Recipe:
        """The other's."""
        return self.of.recipe

    def loading(self) -> Mapping[str, Any]:
        """As the other has it."""
        return self.of.loading()

    def passes(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        domain: Sequence[Example],
        on_step: OnStep,
    ) -> Passes:
        """The other's."""
        return self.of.passes(model, tokenizer, domain, on_step)

    def adapt(self, model: PreTrainedModel) -> Any:
        """As the other does."""
        return self.of.adapt(model)

    def penalty(self, trained: Any, tokenizer: PreTrainedTokenizerBase, on_step: OnStep) -> Penalty | None:
        """The other's."""
        return self.of.penalty(trained, tokenizer, on_step)
