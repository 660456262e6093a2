"""The pair that is compared: its two sides, who asks them, and what is known about them beside their answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_forgetting.answers.facts import NO_EFFECT, effect_fact, loading_notes
from pytest_forgetting.answers.served_side import ServedSide, served_findings
from pytest_forgetting.answers.sides import LiveSide, Side, SideName
from pytest_forgetting.answers.special_token_findings import special_token_findings
from pytest_forgetting.comparison.participants import Finding

if TYPE_CHECKING:
    from pytest_forgetting.answers.served_interview import AnyInterview
    from pytest_forgetting.answers.stores import Stores
    from pytest_forgetting.models.local_model import LocalModel
    from pytest_forgetting.settings import Settings


@dataclass
class Pair:
    """The two, and what is known about them beside their answers."""

    sides: Mapping[SideName, Side]
    """Both; where answers are only recorded the baseline stands on both."""
    audit: tuple[Finding, ...]
    """What differs besides the answers, as the files tell."""
    stores: Stores
    settings: Settings
    interview: AnyInterview | None
    """Asks live sides; None where both are recordings."""
    is_adapter: bool = False
    """Whether the candidate is an adapter on a base."""
    files: tuple[LocalModel, ...] = ()
    """Those of the two that are read from files."""

    def findings(self) -> tuple[Finding, ...]:
        """What a reader should know before trusting the comparison."""
        told = [*self.audit, *self._special_tokens(), *self._served()]
        told += [Finding("store", "warning", note) for note in self.stores.notes]
        told += [Finding("loading", "info", note) for note in loading_notes(self.stores.lasting, self._live)]
        told += [Finding("overwritten", "warning", _overwritten(each)) for each in self.files if each.is_overwritten()]
        if self.adapter_inert():
            told.append(Finding("adapter", "fatal", "the adapter changes no logit: the model under test is its base"))
        return tuple(told)

    def adapter_inert(self) -> bool:
        """Whether the candidate is an adapter that changes nothing."""
        side = self.sides["model"]
        return isinstance(side, LiveSide) and self.stores.lasting.fact(effect_fact(side)) == NO_EFFECT

    def has_equal_weights(self) -> bool:
        """Whether both are read from files that hold the same weights."""
        return len(self.files) > 1 and self.files[0].has_weights_of(self.files[1])

    @property
    def _live(self) -> dict[SideName, LiveSide]:
        return {name: side for name, side in self.sides.items() if isinstance(side, LiveSide)}

    def _special_tokens(self) -> Iterator[Finding]:
        yield from special_token_findings(self._live, self.stores.lasting)

    def _served(self) -> Iterator[Finding]:
        yield from served_findings(self.sides, plain=self.settings.chat_template == "none")
        unheard = [f"--{name} {value}" for name, value in _loading(self.settings) if value not in UNSET]
        if unheard and any(isinstance(side, ServedSide) for side in self.sides.values()):
            detail = f"{' and '.join(unheard)} cannot be told to a server: it answers as it was started"
            yield Finding("endpoint", "info", detail)

    def refused(self) -> list[dict[str, Any]]:
        """What the stores of this process have not taken, as plain values."""
        return self.stores.refused()

    def take_over(self, refused: Sequence[Mapping[str, Any]]) -> None:
        """Know what those of another process have not taken."""
        self.stores.take_over(refused)

    def close(self) -> None:
        """Free the models and the store."""
        if self.interview is not None:
            self.interview.close()
        self.stores.close()


def _overwritten(model: LocalModel) -> str:
    return f"{model.ref} was overwritten meanwhile: all that is said here is of its files as they were before"


UNSET = ("auto", "none")
"""Values of options that ask for nothing."""


def _loading(settings: Settings) -> Iterator[tuple[str, str]]:
    """Options that change what a model says."""
    yield "dtype", settings.dtype
    yield "quantization", settings.quantization


def shown_settings(settings: Settings) -> dict[str, object]:
    """The settings that a verdict depends on, as the report shows them."""
    return {
        "max_drop": None if settings.max_drop is None else float(settings.max_drop),
        "rule": settings.rule,
        "confidence": settings.confidence,
        "inconclusive": settings.inconclusive,
        "limit": settings.limit,
        "chat_template": settings.chat_template,
        "think": settings.think,
        "chat_template_kwargs": settings.chat_template_kwargs,
        "quantization": settings.quantization,
    }
