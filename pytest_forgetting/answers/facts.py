"""Facts about a pair of models that the store keeps beside their answers, by name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pytest_forgetting.answers.sides import LiveSide, SideName
from pytest_forgetting.answers.store import Store

NO_EFFECT = "no effect"
"""Of the fact about an adapter that changes nothing."""


def loading_fact(sides: Mapping[SideName, LiveSide]) -> str:
    """Name of the stored fact about how the models of `sides` were loaded."""
    return "loading:" + ":".join(side.digest.hex() for _, side in sorted(sides.items()))


def loading_notes(store: Store, sides: Mapping[SideName, LiveSide]) -> list[str]:
    """What a reader of the report should know about how they were loaded."""
    return list(json.loads(store.fact(loading_fact(sides)) or "[]"))


def effect_fact(side: LiveSide) -> str:
    """Name of the stored fact about what a side's adapter does."""
    return f"adapter:{side.conditions.fingerprint}:{side.conditions.dtype}"


def note_loading(store: Store, sides: Mapping[SideName, LiveSide], notes: Sequence[str]) -> None:
    """Keep what is odd about how the models were loaded: a run that finds all answers stored tells it as well."""
    told = loading_notes(store, sides)
    if more := [note for note in notes if note not in told]:
        store.remember(loading_fact(sides), json.dumps([*told, *more]))
