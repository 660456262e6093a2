"""The two sides of a comparison, loaded when they are first asked, in one copy of the weights where that is right.

Nothing heavy is imported before something is loaded: callers ask here for device and type of models whose answers are
all stored.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from pytest_forgetting.errors import CannotAnswer
from pytest_forgetting.models.devices import device_for, dtype_for
from pytest_forgetting.models.given import GivenModel
from pytest_forgetting.models.load_options import LoadOptions
from pytest_forgetting.models.loaded_model import LoadedModel
from pytest_forgetting.models.local_model import LocalModel

if TYPE_CHECKING:
    from pytest_forgetting.answers.sides import SideName
    from pytest_forgetting.models.resident import Resident

__all__ = ["LoadOptions", "LoadedModel", "LoadedPair", "device_for", "dtype_for"]


class LoadedPair:
    """Baseline and model, each to be asked in its turn.

    An adapter and its own base share one copy of the weights: the base speaks while the adapter is switched off. They
    share nothing where putting the adapter on changes the base itself, or where it stands on other weights than the
    baseline's.
    """

    def __init__(self, models: Mapping[SideName, LocalModel | GivenModel], options: LoadOptions) -> None:
        """Prepare; a side that is never asked is never loaded.

        Args:
            models: one or both sides.
            options: of loading, the same for both.
        """
        self._given = {side: model for side, model in models.items() if isinstance(model, GivenModel)}
        self._models = {side: model for side, model in models.items() if isinstance(model, LocalModel)}
        self._options = options
        self._residents: list[Resident] = []
        self._loads = False  # whether there is something to let go of: what was loaded, or begun and given up
        self.notes: list[str] = []
        """What a reader of the report should know about how the models were loaded."""

    @contextmanager
    def speaking(self, side: SideName) -> Iterator[LoadedModel]:
        """Let one side speak until the block ends; loads it if need be. Blocks are not nested.

        It computes in its own precision: an `autocast` around the caller's code would round what is kept otherwise.

        Raises:
            WrongUsage: an option of loading cannot be had.
            CannotAnswer: the model does not load, or memory does not suffice.
        """
        import torch

        with self._spoken(side) as loaded, torch.autocast(loaded.device.partition(":")[0], enabled=False):
            yield loaded

    def _spoken(self, side: SideName) -> AbstractContextManager[LoadedModel]:
        if side in self._given:
            return self._given[side].speaking()
        model = self._models[side]
        return self._checked(self._resident(model), model)

    @contextmanager
    def _checked(self, resident: Resident, model: LocalModel) -> Iterator[LoadedModel]:
        """Let `model` speak; a tokenizer is read only now, which may be long after the weights."""
        fresh = not resident.knows_tokenizer_of(model)
        with resident.speaking_as(model) as loaded:
            if fresh:
                try:
                    _see_unchanged(model)
                except CannotAnswer:
                    self._residents.remove(resident)
                    raise
            yield loaded

    def holds(self, side: SideName) -> bool:
        """Whether a side can speak at once, without being loaded."""
        return side in self._given or any(each.speaks_for(self._models[side]) for each in self._residents)

    def fits_together(self) -> bool:
        """Whether both sides can be in memory at once; loads what is not there yet."""
        for side in self._models:
            with self.speaking(side):
                pass
        return all(self.holds(side) for side in self._models)

    def _resident(self, model: LocalModel) -> Resident:
        """Where `model` is loaded; where memory is short, in the place of what was loaded before."""
        from pytest_forgetting.models.device_memory import is_out_of_memory

        for resident in self._residents:
            if resident.speaks_for(model):
                return resident
        while True:
            try:
                return self._fresh(model)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if not self._residents:
                    raise CannotAnswer(_too_large(model, error)) from None
            self._make_room()  # out here, where the error no longer holds what was half loaded

    def _fresh(self, model: LocalModel) -> Resident:
        resident = self._taker(model) or self._loaded(model)
        if model.adapter is not None:
            self._put_on(resident, model)
        _see_unchanged(model)
        return resident

    def _taker(self, model: LocalModel) -> Resident | None:
        """Weights in memory that the adapter of `model` can be put on."""
        return next((each for each in self._residents if model.adapter is not None and each.can_take(model)), None)

    def _loaded(self, model: LocalModel) -> Resident:
        from pytest_forgetting.models.resident import Resident

        self._loads = True
        resident = Resident.load(model, self._options)
        self._residents.append(resident)
        self._note(*resident.notes)
        return resident

    def free(self) -> None:
        """Let go of what was loaded; it is loaded anew when it is asked again."""
        if not self._loads:
            return  # a training asks a given model again and again, and collecting takes most of a second there
        self._loads = False
        self._residents.clear()
        gc.collect()
        torch = sys.modules.get("torch")  # where its import was interrupted a second one would fail
        if torch is not None and torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _make_room(self) -> None:
        self.free()
        self._note("the two models do not fit into memory together; they are loaded in turns")

    def _put_on(self, resident: Resident, model: LocalModel) -> None:
        try:
            resident.take(model)
        except BaseException:
            self._residents.remove(resident)  # half an adapter is no model
            raise
        if not resident.intact and self._shared(model):
            self._note(f"the adapter {model.ref} changes the weights below it; the baseline is loaded by itself")

    def _shared(self, model: LocalModel) -> bool:
        """Whether the other side is the plain base of `model`."""
        others: list[LocalModel | GivenModel] = [*self._models.values(), *self._given.values()]
        return any(other.fingerprint == model.weights_fingerprint for other in others)

    def _note(self, *notes: str) -> None:
        self.notes += [note for note in notes if note not in self.notes]


def _see_unchanged(model: LocalModel) -> None:
    """Answers are kept under the fingerprint, so it must be that of what was loaded."""
    if model.fingerprint_now() != model.fingerprint:
        raise CannotAnswer(f"{model.ref} was overwritten while it was in use; run again")


def _too_large(model: LocalModel, error: Exception) -> str:
    return (
        f"{model.ref}: out of memory while loading {model.parameters / 1e9:.1f} billion parameters"
        f" ({str(error).splitlines()[0][:120]}); use --dtype bfloat16, --quantization, or another --device"
    )
