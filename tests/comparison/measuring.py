"""Texts with both sides' log-likelihoods, without any model."""

from collections.abc import Sequence

from pytest_forgetting.comparison.outcomes import CaseResult, Graded
from pytest_forgetting.suites.cases import Case, Prompt


def measured(had: float, has: float, text: str = "0123456789", kl: float | None = None, tokens: int = 5) -> CaseResult:
    """A text whose negative log-likelihood was `had` and is `has`, in nats."""
    case = Case("t", "general", Prompt("", (), continuations=(text,)), measured=True)
    before, now = (Graded("", "scored", False, loglikelihoods=(-loss,)) for loss in (had, has))
    return CaseResult(case, text, before, now, kl, 0 if kl is None else tokens)


def texts(losses: Sequence[tuple[float, float]]) -> list[CaseResult]:
    """One of ten bytes for each pair."""
    return [measured(had, has) for had, has in losses]
