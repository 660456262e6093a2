"""Two grades of one case make an outcome; outcomes make counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from fractions import Fraction
from math import isfinite, log
from typing import Literal

from pytest_forgetting.suites.cases import SEVERITIES, Case, Severity

Outcome = Literal["retained", "forgotten", "learned", "unknown", "measured", "unanswered"]
Amount = int | Fraction
"""Whole where every case is asked once; a case asked K times counts in parts."""

_BY_GRADES: dict[tuple[bool, bool], Outcome] = {
    (True, True): "retained",
    (True, False): "forgotten",
    (False, True): "learned",
    (False, False): "unknown",
}


@dataclass(frozen=True, slots=True)
class Graded:
    """One side's answer to one case, graded."""

    answer: str
    finish: str
    correct: bool
    why: str = ""
    """Why it is wrong, or why there is no answer."""
    loglikelihoods: tuple[float, ...] = ()
    """Of each choice, or of the text, in nats (choice, text)."""
    right_share: Fraction | None = None
    """The share of right answers among those drawn; None where there is but one answer."""
    gap: float | None = None
    """How near the answer was to another: the least distance between the likeliest token and the next, in logits, or
    between the best two choices, in the measure that picks. None where it is not known."""

    @property
    def share(self) -> Amount:
        """How right it is, from 0 to 1."""
        return int(self.correct) if self.right_share is None else self.right_share

    @property
    def answered(self) -> bool:
        """Whether there is an answer at all."""
        return self.finish != "unanswered"


@dataclass(frozen=True, slots=True)
class RightAnswer:
    """How likely both models hold the right answer of one case, whatever they said."""

    text: str
    """The first accepted answer (qa), the baseline's own (checklist), the right choice (choice)."""
    baseline: float
    """Log-likelihood of the whole text behind the case's prompt, in nats."""
    model: float

    @property
    def kept(self) -> bool:
        """Whether the model holds it at least half as likely as the baseline does."""
        return isfinite(self.baseline) and self.model >= self.baseline - log(2)


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case with both answers."""

    case: Case
    prompt: str
    """As it was shown to the model under test."""
    baseline: Graded
    model: Graded
    divergence: float | None = None
    """KL(baseline‖model) summed over the tokens of a text, in nats; None where it was not or cannot be measured."""
    tokens: int = 0
    """Over how many tokens `divergence` is summed."""
    first: Outcome | None = None
    """The outcome before the case was asked again, where rounding could have decided; None where it was asked once."""
    right: RightAnswer | None = None
    """None where it was not asked for or cannot be known. Choice cases have it among `Graded.loglikelihoods`."""

    @property
    def outcome(self) -> Outcome:
        """What became of the baseline's knowledge; where answers were drawn, by the majority of each side's."""
        if not (self.baseline.answered and self.model.answered):
            return "unanswered"
        if self.case.measured:
            return "measured"
        return _BY_GRADES[self.baseline.correct, self.model.correct]

    def fails(self, fail_on: Severity) -> bool:
        """Whether this case fails by itself, beside the gates that count it.

        Args:
            fail_on: forgotten cases of this severity or a graver one fail.
        """
        if self.outcome == "unanswered":
            return False
        if self.case.require_pass:
            return not self.model.correct
        severity = self.case.severity
        grave = severity is not None and SEVERITIES.index(severity) <= SEVERITIES.index(fail_on)
        return grave and self.outcome == "forgotten"


@dataclass(frozen=True, slots=True)
class Counts:
    """Outcomes counted over a scope. All shares are exact fractions of `n`."""

    retained: Amount = 0
    forgotten: Amount = 0
    learned: Amount = 0
    unknown: Amount = 0
    measured: int = 0
    """Texts that are measured, not graded: outside `n`, as are those unanswered."""
    unanswered: int = 0

    @property
    def n(self) -> int:
        """Cases that both sides answered."""
        return int(self.retained + self.forgotten + self.learned + self.unknown)

    @property
    def drop(self) -> Fraction:
        """Baseline's accuracy less the model's; positive is bad. 0 where nothing was answered."""
        return Fraction(self.forgotten - self.learned, self.n or 1)

    @property
    def baseline_accuracy(self) -> Fraction:
        """Share of `n` that the baseline answered rightly."""
        return Fraction(self.retained + self.forgotten, self.n or 1)

    @property
    def model_accuracy(self) -> Fraction:
        """Share of `n` that the model answered rightly."""
        return Fraction(self.retained + self.learned, self.n or 1)

    @property
    def retention(self) -> Fraction | None:
        """Share of what the baseline knew that was kept; None where it knew nothing."""
        known = self.retained + self.forgotten
        return Fraction(self.retained, known) if known else None


def count(results: Iterable[CaseResult]) -> Counts:
    """Count the outcomes of `results`.

    A case whose answers were drawn counts in parts: of a case right in 4 of 5 answers before and in 1 of 5 now, three
    fifths are forgotten, one is retained and one was unknown. So forgotten − learned is the drop times n, exactly.
    """
    tally: Counter[str] = Counter()
    parts = Counts()
    for result in results:
        if result.baseline.right_share is None or result.outcome == "unanswered":
            tally[result.outcome] += 1
        else:
            parts = _added(parts, result.baseline.share, result.model.share)
    whole = Counts(**tally)
    return _sum(whole, parts) if parts.n else whole


def _added(counts: Counts, had: Amount, has: Amount) -> Counts:
    more = Counts(min(had, has), max(0, had - has), max(0, has - had), 1 - max(had, has))
    return _sum(counts, more)


def _sum(one: Counts, other: Counts) -> Counts:
    return Counts(*(getattr(one, each.name) + getattr(other, each.name) for each in fields(Counts)))
