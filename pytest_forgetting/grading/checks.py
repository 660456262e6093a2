"""The built-in checks of checklist suites. Names and meanings are promptfoo's where it has them.

Differences from promptfoo: blanks around an answer make no difference to `equals` and `starts-with` (a model without
a chat template begins with one), and `is-json` looks into a code fence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any, Protocol

from pytest_forgetting.grading.distance import within_distance
from pytest_forgetting.grading.json_values import contained_values, fitting, whole_value
from pytest_forgetting.grading.normalisation import holds_words
from pytest_forgetting.grading.numerals import conclusions
from pytest_forgetting.grading.patterns import matches
from pytest_forgetting.grading.refusals import is_refusal
from pytest_forgetting.grading.sentences import count_sentences, count_words


class Said(Protocol):
    """What is looked at: a model's answer, however it was got."""

    @property
    def text(self) -> str:
        """What the model said."""

    @property
    def finish(self) -> str:
        """How it came to an end: eos, stop or length."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found."""

    holds: bool
    seen: str
    """In a few words; true whether the check was wanted to hold or not."""


BuiltIn = Callable[[Any, Said], CheckResult]


def _equals(value: str, answer: Said) -> CheckResult:
    same = answer.text.strip() == value.strip()
    return CheckResult(same, f"the answer {'is' if same else 'is not'} {_quoted([value])}")


def _starts_with(value: str, answer: Said) -> CheckResult:
    starts = answer.text.lstrip().startswith(value.lstrip())
    return CheckResult(starts, f"the answer {'starts' if starts else 'does not start'} with {_quoted([value])}")


def _contains(
    of_many: Callable[[Iterable[object]], bool], fold: Callable[[str], str], value: str | Sequence[str], answer: Said
) -> CheckResult:
    """Look for one or several pieces of text, `any` or `all` of them, compared as `fold` makes them."""
    values = [value] if isinstance(value, str) else value
    text = fold(answer.text)
    present = [each for each in values if fold(each) in text]
    missing = [each for each in values if each not in present]
    holds = of_many(each in present for each in values)
    return CheckResult(holds, f"{_quoted(present)} found" if holds else f"{_quoted(missing)} not found")


def _regex(value: str, answer: Said) -> CheckResult:
    found = matches(value, answer.text)
    return CheckResult(found, f"the pattern {_quoted([value])} {'found' if found else 'not found'}")


def _is_json(value: dict[str, Any] | None, answer: Said) -> CheckResult:
    return _fitting_json(whole_value(answer.text), value, "the answer is not JSON")


def _contains_json(value: dict[str, Any] | None, answer: Said) -> CheckResult:
    return _fitting_json(contained_values(answer.text), value, "no JSON object or array in the answer")


def _fitting_json(values: Iterable[Any], schema: dict[str, Any] | None, none_found: str) -> CheckResult:
    fits = fitting(schema)
    findings = [fits(value) for value in values]
    if any(findings):
        return CheckResult(True, "JSON found" if schema is None else "JSON found that fits the schema")
    return CheckResult(False, "JSON found, but it does not fit the schema" if findings else none_found)


def _word_count(value: Mapping[str, int | None], answer: Said) -> CheckResult:
    words = count_words(answer.text)
    return CheckResult(_within(words, words, value), f"{words} words, bounds: {_bounds(value)}")


def _sentence_count(value: Mapping[str, int | None], answer: Said) -> CheckResult:
    """A fragment (a broken-off end, a heading) counts towards the upper bound, but not towards the lower one."""
    counted = count_sentences(answer.text)
    fragments = f" and {counted.fragments} unfinished" if counted.fragments else ""
    holds = _within(counted.whole, counted.whole + counted.fragments, value)
    return CheckResult(holds, f"{counted.whole} whole sentences{fragments}, bounds: {_bounds(value)}")


def _is_refusal(_value: None, answer: Said) -> CheckResult:
    declines = is_refusal(answer.text)
    blank = "the answer is blank" if not answer.text.strip() else "the answer declines"
    return CheckResult(declines, blank if declines else "the answer does not decline")


def _finished(_value: None, answer: Said) -> CheckResult:
    ended = answer.finish in ("eos", "stop")
    return CheckResult(ended, "the answer came to its end" if ended else "the answer ran into the token limit")


def _levenshtein(value: Mapping[str, Any], answer: Said) -> CheckResult:
    text, threshold = value["text"], value["threshold"]
    near = within_distance(answer.text.strip(), text.strip(), threshold)
    return CheckResult(near, f"{'at most' if near else 'more than'} {threshold} edits away from {_quoted([text])}")


def _number(value: Mapping[str, Any], answer: Said) -> CheckResult:
    wanted, tolerance = (Fraction(str(value[key] or 0)) for key in ("value", "tolerance"))
    found = conclusions(answer.text)
    seen = " or ".join(f"{float(each):g}" for each in sorted(found)) or "no number"
    margin = f" ± {value['tolerance']}" if tolerance else ""
    holds = any(abs(each - wanted) <= tolerance for each in found)
    return CheckResult(holds, f"the answer comes to {seen}, the value is {value['value']}{margin}")


def _mentions(value: Mapping[str, Any], answer: Said) -> CheckResult:
    mentioned = [group[0] for group in value["values"] if any(holds_words(answer.text, name) for name in group)]
    names = f" ({_quoted(mentioned)})" if mentioned else ""
    return CheckResult(
        len(mentioned) >= value["at_least"], f"{len(mentioned)} mentioned{names}, bounds: at least {value['at_least']}"
    )


BUILT_IN: Mapping[str, BuiltIn] = {
    "equals": _equals,
    "contains": partial(_contains, all, str),
    "icontains": partial(_contains, all, str.casefold),
    "contains-any": partial(_contains, any, str),
    "contains-all": partial(_contains, all, str),
    "icontains-any": partial(_contains, any, str.casefold),
    "icontains-all": partial(_contains, all, str.casefold),
    "starts-with": _starts_with,
    "regex": _regex,
    "is-json": _is_json,
    "contains-json": _contains_json,
    "word-count": _word_count,
    "sentence-count": _sentence_count,
    "is-refusal": _is_refusal,
    "finished": _finished,
    "levenshtein": _levenshtein,
    "number": _number,
    "mentions": _mentions,
}
"""Every built-in check by its name without ``not-``."""


def _within(low: int, high: int, bounds: Mapping[str, int | None]) -> bool:
    least, most = bounds.get("min"), bounds.get("max")
    return (least is None or low >= least) and (most is None or high <= most)


def _bounds(bounds: Mapping[str, int | None]) -> str:
    least, most = bounds.get("min"), bounds.get("max")
    if least == most:
        return f"exactly {least}"
    parts = [f"{word} {bound}" for word, bound in (("at least", least), ("at most", most)) if bound is not None]
    return ", ".join(parts)


def _quoted(values: Sequence[str]) -> str:
    shown = [f'"{value}"' for value in values[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else "")


_SHOWN = 5
"""Values told in a sentence; of more, only how many."""
