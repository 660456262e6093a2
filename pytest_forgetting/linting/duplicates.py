"""Cases that ask nearly the same.

Exact and without chance: two sets of words whose Jaccard similarity is at least `NEAR` share one of their rarest words
(prefix filtering; Bayardo, Ma and Srikant 2007), so that only such pairs are compared. Time grows with the number of
those pairs, which is quadratic only where all cases are nearly the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from pytest_forgetting.grading.normalisation import same_text
from pytest_forgetting.linting.words import asked, words
from pytest_forgetting.suites.cases import Case

NEAR = Fraction(4, 5)
"""Jaccard similarity of words from which on two cases ask nearly the same."""


@dataclass(frozen=True)
class Duplicate:
    """A case, and the first one before it that asks the same or nearly so."""

    case: Case
    first: Case
    same: bool
    """Word by word."""
    contradicts: bool
    """The words are the same, and no accepted answer is."""


def duplicates(cases: Sequence[Case]) -> Iterator[Duplicate]:
    """The cases that ask what another one before them asks, in their own order.

    Word by word the same is always told. What differs in a word is told where the numbers in it are the same, and an
    accepted answer is: "the capital of France" and "the capital of Peru" are two questions.
    """
    said = [_said(case) for case in cases]
    bags = [frozenset(each) for each in said]
    for later, earlier in _near(bags):
        hits = (n for n in earlier if _alike(cases[later], said[later], cases[n], said[n]))
        first = next(hits, None)
        if first is not None:
            same = said[later] == said[first]
            yield Duplicate(cases[later], cases[first], same, same and not _agree(cases[later], cases[first]))


def _said(case: Case) -> tuple[str, ...]:
    return words(" ".join([asked(case), *case.choices]))


def _near(bags: Sequence[frozenset[str]]) -> Iterator[tuple[int, list[int]]]:
    """Each set that has near ones before it, and their numbers."""
    share, of = NEAR.as_integer_ratio()  # a Fraction for each pair would take most of the time
    often = Counter(word for bag in bags for word in bag)
    seen: dict[str, list[int]] = {}
    for number, bag in enumerate(bags):
        prefix = sorted(bag, key=lambda word: (often[word], word))[: len(bag) - ceil(NEAR * len(bag)) + 1]
        candidates = sorted({other for word in prefix for other in seen.get(word, ())})
        near = [other for other in candidates if of * len(bag & bags[other]) >= share * len(bag | bags[other])]
        if near:
            yield number, near
        for word in prefix:
            seen.setdefault(word, []).append(number)


def _alike(one: Case, one_said: Iterable[str], other: Case, other_said: Iterable[str]) -> bool:
    if one_said == other_said:
        return True
    return _numbers(one_said) == _numbers(other_said) and _agree(one, other)


def _numbers(said: Iterable[str]) -> list[str]:
    return sorted(word for word in said if any(char.isdigit() for char in word))


def _agree(one: Case, other: Case) -> bool:
    """Whether an answer is right for both, as far as they name answers."""
    if not one.expected or not other.expected:
        return True
    return any(same_text(mine, yours) for mine in one.expected for yours in other.expected)
