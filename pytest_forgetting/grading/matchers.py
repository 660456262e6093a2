"""How an answer is compared with the accepted answers of a qa case."""

from __future__ import annotations

from collections.abc import Callable

from pytest_forgetting.errors import SuiteError
from pytest_forgetting.grading.normalisation import holds_text, holds_words, same_text
from pytest_forgetting.grading.numerals import conclusions, number
from pytest_forgetting.grading.patterns import matches
from pytest_forgetting.suites.cases import MatchRule


def match(rule: MatchRule, text: str, accepted: str) -> bool:
    """Whether `text` is right by `rule`, given one accepted answer.

    - word: holds the accepted answer as whole words (`normalisation.holds_words`);
    - exact: is the accepted answer, but for case, and blanks and punctuation around it;
    - number: comes to the accepted number (`numerals.conclusions`);
    - contains: holds it anywhere, parts of words included, but for case and blanks;
    - regex: the accepted answer is a pattern that is found in the text as it stands.

    Raises:
        SuiteError: the accepted answer is no single number (`number`).
        Undecidable, regex.error: as `patterns.matches` (`regex`).
    """
    return _RULES[rule](text, accepted)


def wanted(rule: MatchRule, accepted: tuple[str, ...]) -> str:
    """What a right answer would be, for people."""
    one_of = "one of" if len(accepted) > 1 else ""
    words = (word for word in ("wanted", _KINDS[rule], one_of) if word)
    return f"{' '.join(words)}: {', '.join(accepted)}"


def _comes_to(text: str, accepted: str) -> bool:
    value = number(accepted)
    if value is None:
        raise SuiteError(f"match: number, but the accepted answer {accepted!r} is no number; wanted one number")
    return value in conclusions(text)


_RULES: dict[MatchRule, Callable[[str, str], bool]] = {
    "word": holds_words,
    "exact": same_text,
    "number": _comes_to,
    "contains": holds_text,
    "regex": lambda text, pattern: matches(pattern, text),
}
_KINDS: dict[MatchRule, str] = {
    "word": "",
    "exact": "exactly",
    "number": "the number",
    "contains": "text with",
    "regex": "a match of",
}
