"""The engine of this process: a pair of models on its device."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.engine import DivergenceTask, Heard, Noted, Task
from pytest_forgetting.answers.torch_import import importing_torch
from pytest_forgetting.errors import CannotAnswer, ForgettingError

if TYPE_CHECKING:
    from pytest_forgetting.answers.sides import SideName
    from pytest_forgetting.answers.special_token_findings import Form, SpecialTokens
    from pytest_forgetting.models.loading import LoadedModel, LoadedPair

Load = Callable[[Sequence[str]], "LoadedPair"]
"""Gives the pair on devices: on the only one, or spread over several; itself lazy per side."""


class LocalEngine:
    """Loads the pair when it is first asked, and keeps it until it is let go."""

    def __init__(self, load: Load, batch_size: int | None) -> None:
        """Prepare; nothing is loaded.

        Args:
            load: the pair of models.
            batch_size: rows at once, None for as many as fit.
        """
        self._load = load
        self._batch_size = batch_size
        self._devices: Sequence[str] = ("cpu",)
        self._pair: LoadedPair | None = None

    def settle(self, devices: Sequence[str]) -> None:
        """Load onto `devices` from now on."""
        self._devices = devices

    def is_ready(self, side: SideName) -> bool:
        """Whether `side` is loaded."""
        return self._pair is not None and self._pair.holds(side)

    def ask(self, task: Task, heard: Heard) -> Noted:
        """Do all of `task` with the models in this process.

        Raises:
            CannotAnswer: a model does not load or cannot be asked, or memory does not suffice.
        """
        with _told_of(task.ref):
            pair = self._loading()
            with importing_torch():
                from pytest_forgetting.answers.asking import ask
                from pytest_forgetting.models import resident  # noqa: F401 - imported on loading, which is collected

            with pair.speaking(task.side) as loaded:
                ask(
                    loaded,
                    task.requests,
                    task.conditions,
                    heard.deliver,
                    self._batch_size,
                    fixed=task.fixed,
                    drafts=task.drafts,
                    plan=heard.begin,
                )
                return Noted(_effect(loaded, task), _special_tokens(loaded, task), tuple(pair.notes))

    def measure_divergence(self, task: DivergenceTask, heard: Heard) -> Sequence[str]:
        """Measure the divergence on each text, where both models are in memory at once.

        Raises:
            CannotAnswer: a model does not load.
        """
        from pytest_forgetting.answers.divergence import APART, measure_divergence

        pair = self._loading()
        fits = pair.fits_together()
        heard.begin({})
        if fits:
            measure_divergence(pair, task, heard.deliver)
        else:
            heard.deliver({n: Answer("", "unanswered", reason=APART) for n in range(len(task.requests))})
        return pair.notes

    def free(self) -> None:
        """Let go of the models."""
        if self._pair is not None:
            self._pair.free()
            self._pair = None

    def _loading(self) -> LoadedPair:
        self._pair = self._pair or self._load(self._devices)
        return self._pair


@contextmanager
def _told_of(ref: str) -> Iterator[None]:
    """A model's own code, and hooks in it, may raise whatever they like."""
    try:
        yield
    except ForgettingError:
        raise
    except Exception as error:
        told = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason given'}"
        raise CannotAnswer(f"{ref} failed while it was asked: {told}") from error


def _effect(loaded: LoadedModel, task: Task) -> bool | None:
    if not task.effect or not hasattr(loaded.model, "disable_adapter"):
        return None
    from pytest_forgetting.answers.effect import adapter_changes_logits

    return adapter_changes_logits(loaded, task.effect, task.conditions)


def _special_tokens(loaded: LoadedModel, task: Task) -> dict[Form, SpecialTokens]:
    from pytest_forgetting.answers.special_tokens import special_tokens

    seen = {form: special_tokens(loaded, asked, task.conditions) for form, asked in task.forms.items()}
    return {form: each for form, each in seen.items() if each is not None}
