"""Drafts of answers: what another model said is checked in one pass, and what this one would have said too is kept.

Speculative decoding (Leviathan et al. 2023, arXiv:2211.17192) with the baseline's answer for a draft: a tuned model
mostly answers as its baseline did. Greedy answers, and those drawn with numbers of their own, are what they would have
been without a draft, since each token is the model's own choice behind the tokens before it.
"""

from __future__ import annotations

from dataclasses import dataclass

LEAST_ACCEPTED = 0.3
"""Share of a draft's tokens that must be right for drafts to pay; below it the rest is decoded without."""
FEWEST_JUDGED = 256
"""Tokens of drafts that are checked before drafts are given up."""

MOST_FOR_ONE = 4
"""What few rows part from their draft may be decoded together with those of so many batches."""


@dataclass
class Tally:
    """How drafts have fared with one model."""

    drafted: int = 0
    accepted: int = 0

    @property
    def pays(self) -> bool:
        """Whether to go on with drafts."""
        return self.drafted < FEWEST_JUDGED or self.accepted >= LEAST_ACCEPTED * self.drafted

    @property
    def rows_for_one(self) -> int:
        """Rows that are checked for one that has to be decoded, as far as is known; at most `MOST_FOR_ONE`.

        Answers part from their draft anywhere, in the middle on average: twice as many rows as tokens are lost.
        """
        if self.drafted < FEWEST_JUDGED or not self.accepted:
            return 1
        lost = 2 * (self.drafted - self.accepted) / self.drafted
        return max(1, min(MOST_FOR_ONE, int(1 / max(lost, 1 / MOST_FOR_ONE))))
