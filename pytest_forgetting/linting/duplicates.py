"""Cases that ask nearly the same.

Exact and without chance: two sets of words whose Jaccard similarity is at least `NEAR` share one of their rarest words
(prefix filtering; Bayardo, Ma and Srikant 2007), so that only such pairs are compared; and of these only pairs with the
same numbers in them and an accepted answer in common. Time grows with the number of those pairs, up to the first that
is near: it is quadratic only where very many cases share words, numbers and answers and are not near.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from pytest_forgetting.grading.normalisation import core, same_text
from pytest_forgetting.linting.words import asked, words
from pytest_forgetting.suites.cases import Case

NEAR = Fraction(4, 5)
"""Jaccard similarity of words from which on two cases ask nearly the same."""
_SHARE, _OF = NEAR.as_integer_ratio()  # a Fraction for each pair would take most of the time
_NONE, _EVERY = object(), object()
"""In the place of an answer: of cases without one, and of all cases."""
_Words = tuple[str, ...]


@dataclass(frozen=True)
class Duplicate:
    """A case, and the first one before it that asks the same or nearly so."""

    case: Case
    first: Case
    same: bool
    """Word by word."""
    contradicts: bool
    """The words are the same, and no accepted answer is."""


def duplicates(suites: Iterable[Sequence[Case]]) -> Iterator[Duplicate]:
    """The cases that ask what another one before them asks, in their own order.

    Word by word the same is told within a suite, and between suites where no accepted answer is the same: each gate
    counts its own suite. What differs in a word is told where the numbers in it are the same, and an accepted answer
    is: "the capital of France" and "the capital of Peru" are two questions.
    """
    asking = [_Asking(case, _said(case), n) for n, suite in enumerate(suites) for case in suite]
    near = _Near(asking)
    seen: dict[_Words, list[int]] = {}
    for number, one in enumerate(asking):
        same = (n for n in seen.get(one.said, ()) if _counts(one, asking[n]))
        first = min((n for n in (next(same, None), near.first(number)) if n is not None), default=None)
        if first is not None:
            is_same = one.said == asking[first].said
            yield Duplicate(one.case, asking[first].case, is_same, is_same and not _agree(one.case, asking[first].case))
        if one.said:
            seen.setdefault(one.said, []).append(number)


@dataclass(frozen=True)
class _Asking:
    """A case, its words, and the number of its suite."""

    case: Case
    said: _Words
    suite: int


def _counts(one: _Asking, other: _Asking) -> bool:
    """Whether that two cases ask the same is odd."""
    return one.suite == other.suite or not _agree(one.case, other.case)


def _said(case: Case) -> _Words:
    return words(" ".join([asked(case), *case.choices]))


class _Near:
    """An index of the cases so far, by rare word, numbers, answer and suite."""

    def __init__(self, asking: Sequence[_Asking]) -> None:
        self._asking = asking
        self._bags = [frozenset(each.said) for each in asking]
        self._often = Counter(word for bag in self._bags for word in bag)
        self._held: dict[tuple[object, ...], list[int]] = {}

    def first(self, number: int) -> int | None:
        """The first case before `number` that is near; `number` counts from now on as one before others."""
        bag, one = self._bags[number], self._asking[number]
        rare = sorted(bag, key=lambda word: (self._often[word], word))[: len(bag) - ceil(NEAR * len(bag)) + 1]
        shared = (one.suite, _numbers(one.said))
        answers: set[object] = {core(answer) for answer in one.case.expected}
        # A case without accepted answers agrees with all others.
        asked_for = {*answers, _NONE} if answers else {_EVERY}
        candidates = {n for word in rare for key in asked_for for n in self._held.get((word, key, *shared), ())}
        found = next((n for n in sorted(candidates) if _is_near(bag, self._bags[n])), None)
        for word in rare:
            for key in (*(answers or {_NONE}), _EVERY):
                self._held.setdefault((word, key, *shared), []).append(number)
        return found


def _is_near(one: frozenset[str], other: frozenset[str]) -> bool:
    return _OF * len(one & other) >= _SHARE * len(one | other)


def _numbers(said: Iterable[str]) -> _Words:
    return tuple(sorted(word for word in said if any(char.isdigit() for char in word)))


def _agree(one: Case, other: Case) -> bool:
    """Whether an answer is right for both, as far as they name answers."""
    if not one.expected or not other.expected:
        return True
    return any(same_text(mine, yours) for mine in one.expected for yours in other.expected)
