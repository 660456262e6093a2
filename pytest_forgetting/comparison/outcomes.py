"""Two grades of one case make an outcome; outcomes make counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from pytest_forgetting.suites.cases import SEVERITIES, Case, Severity

Outcome = Literal["retained", "forgotten", "learned", "unknown", "unanswered"]

_BY_GRADES: dict[tuple[bool, bool], Outcome] = {
    (True, True): "retained",
    (True, False): "forgotten",
    (False, True): "learned",
    (False, False): "unknown",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """One side's answer to one case, graded."""

    answer: str
    finish: str
    correct: bool
    why: str = ""
    """Why it is wrong, or why there is no answer."""

    @property
    def answered(self) -> bool:
        """Whether there is an answer at all."""
        return self.finish != "unanswered"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case with both answers."""

    case: Case
    prompt: str
    """As it was shown to the model under test."""
    baseline: Judged
    model: Judged

    @property
    def outcome(self) -> Outcome:
        """What became of the baseline's knowledge."""
        if not (self.baseline.answered and self.model.answered):
            return "unanswered"
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

    retained: int = 0
    forgotten: int = 0
    learned: int = 0
    unknown: int = 0
    unanswered: int = 0
    """Outside `n`."""

    @property
    def n(self) -> int:
        """Cases that both sides answered."""
        return self.retained + self.forgotten + self.learned + self.unknown

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
    """Count the outcomes of `results`."""
    tally = Counter(str(result.outcome) for result in results)
    return Counts(**tally)
