"""The two answer stores of a run: one that lasts, and one for answers that are kept to the end of this run only."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pytest_forgetting.answers.store import Refused, Store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class Stores:
    """Where answers are kept: to be found again by later runs, or to the end of this one."""

    def __init__(self, lasting: Store, temporary: Path) -> None:
        """Open the one in the folder `temporary` when it is needed."""
        self.lasting = lasting
        self._folder = temporary
        self._temporary: Store | None = None

    @property
    def temporary(self) -> Store:
        """The one that goes with this run."""
        if self._folder == self.lasting.folder:
            return self.lasting
        self._temporary = self._temporary or Store(self._folder)
        return self._temporary

    @property
    def notes(self) -> list[str]:
        """What went wrong with them."""
        return [*self.lasting.notes, *([] if self._temporary is None else self._temporary.notes)]

    def refused(self) -> list[dict[str, Any]]:
        """What they have not taken, as plain values; nothing where they have taken all."""
        told = [asdict(each.refused) for each in self._open]
        return told if any(any(each.values()) for each in told) else []

    def take_over(self, refused: Sequence[Mapping[str, Any]]) -> None:
        """Know what those of another process have not taken."""
        if len(refused) > 1:
            _ = self.temporary
        for store, each in zip(self._open, refused, strict=False):
            store.take_over(Refused(**each))

    @property
    def _open(self) -> list[Store]:
        return [self.lasting, *([] if self._temporary is None else [self._temporary])]

    def close(self) -> None:
        """Let go of the files."""
        self.lasting.close()
        if self._temporary is not None:
            self._temporary.close()
