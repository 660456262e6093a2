"""Which of several texts a model holds the likeliest, by the measures of lm-evaluation-harness."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_forgetting.suites.cases import Score

SCORES: tuple[Score, ...] = ("acc", "acc_norm", "acc_bytes")


def pick(score: Score, choices: Sequence[str], loglikelihoods: Sequence[float]) -> int:
    """The number, from 0, of the likeliest choice; of equally likely ones the first.

    - ``acc``: by the log-likelihood of the whole choice, which favours short ones.
    - ``acc_norm``: by the log-likelihood per character.
    - ``acc_bytes``: by the log-likelihood per byte of UTF-8.

    As `multiple_choice` tasks of lm-evaluation-harness 0.4.13 define them: the length is that of the choice alone,
    without what joins it to the prompt.

    Args:
        score: the measure.
        choices: texts of at least one character.
        loglikelihoods: of each, in nats.
    """
    values = _values(score, choices, loglikelihoods)
    return values.index(max(values))


def margin(score: Score, choices: Sequence[str], loglikelihoods: Sequence[float]) -> float:
    """By how much the likeliest choice leads the next, in the measure `score`; arguments as those of `pick`."""
    next_best, best = sorted(_values(score, choices, loglikelihoods))[-2:]
    return best - next_best


def _values(score: Score, choices: Sequence[str], loglikelihoods: Sequence[float]) -> list[float]:
    return [value / _length(score, choice) for choice, value in zip(choices, loglikelihoods, strict=True)]


def _length(score: Score, choice: str) -> int:
    if score == "acc":
        return 1
    return len(choice) if score == "acc_norm" else len(choice.encode("utf-8", "surrogatepass"))
