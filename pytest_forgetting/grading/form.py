"""Whether a wrong answer is wrong in its form only: the right one is in it, said otherwise than it was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import regex

from pytest_forgetting.grading.checks import BUILT_IN, Said
from pytest_forgetting.grading.distance import within_distance
from pytest_forgetting.grading.grade import fulfils
from pytest_forgetting.grading.normalisation import holds_letters, holds_words, normalise
from pytest_forgetting.grading.numerals import conclusions, nothing_but_a_number
from pytest_forgetting.grading.patterns import Undecidable, matches
from pytest_forgetting.suites.cases import Case, Check

_FORM = frozenset(("word-count", "sentence-count", "finished"))
"""Checks of how something is said; what is said makes no difference to them."""
_FORMAT = frozenset(("is-json", "contains-json"))
"""The same where they are negated: an answer in JSON that should have been in words."""
LONGEST = 100_000
"""Characters in which something is looked for: in a longer answer stands anything, and each view would look again."""
_MARKUP = regex.compile(r"</?[a-z]{1,10} ?/?>|\\[a-zA-Z]{1,12}")


def right_in_other_form(case: Case, answer: Said) -> bool:
    """Whether `answer` gives what `case` asks for under a more lenient reading than the case's own.

    Of an accepted answer or a piece of text: as words anywhere, whatever their case, accents, hyphens and mark-up, and
    numbers in digits or words. Of checks: each that fails looks at form alone (`word-count`), or holds when read
    leniently (JSON inside prose for `is-json`). A check that looks at content has no lenient reading where it is
    negated, of the user's own, or asks for a number that the answer does not come to.
    """
    if case.checks:
        # Checks of the user's own may be slow: they are asked where the others leave it open.
        checks = sorted(case.checks, key=lambda check: check.type not in BUILT_IN)
        return all(fulfils(check, answer) or _fails_in_form(check, answer) for check in checks)
    lenient = {"regex": _found_in_any_case, "number": _comes_to}.get(case.match or "word", says)
    return any(lenient(answer.text, accepted) for accepted in case.expected)


def says(text: str, wanted: str) -> bool:
    """Whether `wanted` is said in `text`, in whichever spelling, and not directly negated."""
    if max(len(text), len(wanted)) > LONGEST:
        return False
    plain = _MARKUP.sub(" ", text)
    return holds_words(text, wanted) or holds_letters(plain, wanted) or _comes_to(plain, wanted)


def _comes_to(text: str, wanted: str) -> bool:
    if max(len(text), len(wanted)) > LONGEST:
        return False
    value = nothing_but_a_number(wanted)
    return value is not None and value in conclusions(text)


def _found_in_any_case(text: str, pattern: str) -> bool:
    try:
        return matches(f"(?i){pattern}", text)
    except (Undecidable, regex.error):
        return False


def _fails_in_form(check: Check, answer: Said) -> bool:
    if check.type in _FORM or (check.negated and check.type in _FORMAT):
        return True
    lenient = _LENIENT.get(check.type)
    return lenient is not None and not check.negated and lenient(check, answer)


def _says_parts(of_many: Callable[[Iterable[object]], bool], check: Check, answer: Said) -> bool:
    value: Any = check.value
    parts: Sequence[str] = [value] if isinstance(value, str) else value
    return of_many(says(answer.text, part) for part in parts)


def _mentions(check: Check, answer: Said) -> bool:
    value: Any = check.value
    said = sum(any(says(answer.text, name) for name in group) for group in value["values"])
    return bool(said >= value["at_least"])


def _near(check: Check, answer: Said) -> bool:
    value: Any = check.value
    near = within_distance(normalise(answer.text), normalise(value["text"]), value["threshold"])
    return near or says(answer.text, value["text"])


_LENIENT: dict[str, Callable[[Check, Said], bool]] = {
    "equals": partial(_says_parts, all),
    "starts-with": partial(_says_parts, all),
    "contains": partial(_says_parts, all),
    "icontains": partial(_says_parts, all),
    "contains-all": partial(_says_parts, all),
    "icontains-all": partial(_says_parts, all),
    "contains-any": partial(_says_parts, any),
    "icontains-any": partial(_says_parts, any),
    "regex": lambda check, answer: _found_in_any_case(answer.text, str(check.value)),
    "is-json": lambda check, answer: fulfils(replace(check, type="contains-json"), answer),
    "mentions": _mentions,
    "levenshtein": _near,
}
