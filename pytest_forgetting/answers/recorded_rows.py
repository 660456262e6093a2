"""One recorded answer as plain JSON values, and back; what a hand or a merge has damaged is named."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from math import inf, isfinite
from typing import Any, TypeVar, get_args

from pytest_forgetting.answers.answer import Answer, Finish
from pytest_forgetting.answers.recording import Recorded
from pytest_forgetting.answers.requests import Draw, Request
from pytest_forgetting.comparison.doubts import NEAR
from pytest_forgetting.suites.cases import THINK_TOKENS

T = TypeVar("T")
DECIMALS = 4
"""Of log-likelihoods, in nats: in float32 other batches change less."""
_SPOKEN = {"answer", "draw", "max_new_tokens", "near_tie", "right", "stop", "think_tokens"}
_SCORED = {"continuations", "loglikelihoods"}
_ANY = {"finish", "id", "prompt", "reason", "suite"}
_NAMES: dict[object, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "an object",
    list: "a list",
    type(None): "null",
}
_MISSING = object()


class Damaged(ValueError):
    """A value is not what belongs in its place; told as ``found …; wanted …``."""


def to_values(row: Recorded) -> dict[str, Any]:
    """What a file holds of `row`; what goes without saying is left out."""
    request, answer = row.request, row.answer
    prompt: Any = request.text if request.text is not None else [list(turn) for turn in request.messages]
    told: dict[str, Any] = {"suite": row.suite, "id": row.id, "prompt": prompt, "finish": answer.finish}
    told |= {"reason": answer.reason} if answer.reason else {}
    if request.continuations:
        scores = [_rounded(score) for score in answer.loglikelihoods]
        return told | {"continuations": list(request.continuations), "loglikelihoods": scores}
    told |= {"answer": answer.text, "stop": list(request.stop), "max_new_tokens": request.max_new_tokens}
    told |= {} if request.think_tokens == THINK_TOKENS else {"think_tokens": request.think_tokens}
    told |= {} if request.draw is None else {"draw": asdict(request.draw)}
    told |= {"near_tie": True} if is_near(answer) else {}
    return told if row.right is None else told | {"right": {"text": row.right[0], "nats": _rounded(row.right[1])}}


def is_near(answer: Answer) -> bool:
    """Whether rounding may have decided between the likeliest token and the next."""
    return answer.gap is not None and answer.gap < NEAR


def _rounded(nats: float) -> float | None:
    """None for what a model holds impossible: JSON has no number for it."""
    return round(nats, DECIMALS) + 0.0 if isfinite(nats) else None  # -0.0 is 0.0


def from_values(values: Any) -> Recorded:
    """The answer that `to_values` has told of.

    Raises:
        Damaged: it is none; the message names the key.
    """
    row = taken(values, dict, what="an answer")
    known = _ANY | (_SCORED if "continuations" in row else _SPOKEN)
    see_keys(row, known)
    text, turns = _prompt(field(row, "prompt", str, list))
    finish: Finish = _one_of(field(row, "finish", str), get_args(Finish))
    reason = field(row, "reason", str, type(None), default=None) or None
    if "continuations" in row:
        request = Request(text, turns, continuations=_texts(row, "continuations"))
        answer = Answer("", finish, reason=reason, loglikelihoods=_scores(row, finish, len(request.continuations)))
    else:
        request = _spoken(row, text, turns)
        gap = 0.0 if field(row, "near_tie", bool, default=False) else None
        answer = Answer(field(row, "answer", str), finish, reason=reason, gap=gap)
    return Recorded(_shared(field(row, "suite", str)), field(row, "id", str), request, answer, _right(row))


def _prompt(prompt: Any) -> tuple[str | None, tuple[tuple[str, str], ...]]:
    if isinstance(prompt, str):
        return sys.intern(prompt), ()  # two recordings have the same prompts
    for turn in prompt:
        if not (isinstance(turn, list) and len(turn) == 2 and all(isinstance(each, str) for each in turn)):
            raise Damaged(f"prompt: found the turn {turn!r:.80}; wanted [role, content]")
    return None, tuple((role, content) for role, content in prompt)


def _spoken(row: Mapping[str, Any], text: str | None, turns: tuple[tuple[str, str], ...]) -> Request:
    limit, thoughts = field(row, "max_new_tokens", int), field(row, "think_tokens", int, default=THINK_TOKENS)
    draw = field(row, "draw", dict, type(None), default=None)
    if draw is not None:
        see_keys(draw, {"temperature", "number"})
        temperature = field(draw, "temperature", float, int)
        if not isfinite(real(temperature)):
            raise Damaged(f"temperature: found {temperature!r:.80}; wanted a number")
        draw = Draw(temperature, field(draw, "number", int))
    return Request(text, turns, _shared(_texts(row, "stop")), limit, draw, think_tokens=thoughts)


def _scores(row: Mapping[str, Any], finish: Finish, continuations: int) -> tuple[float, ...]:
    wanted = 0 if finish == "unanswered" else continuations
    found = field(row, "loglikelihoods", list)
    if len(found) != wanted or not all(is_a(each, float, int) and isfinite(real(each)) for each in found):
        raise Damaged(f"loglikelihoods: found {found!r:.80}; wanted {wanted} numbers")
    return tuple(map(float, found))


def _right(row: Mapping[str, Any]) -> tuple[str, float] | None:
    right = field(row, "right", dict, type(None), default=None)
    if right is None:
        return None
    see_keys(right, {"text", "nats"})
    given = field(right, "nats", float, int, type(None))
    nats = -inf if given is None else real(given)
    if given is not None and not isfinite(nats):
        raise Damaged(f"nats: found {given!r:.80}; wanted a number, or null")
    return field(right, "text", str), nats


def _texts(row: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = field(row, key, list)
    if not all(isinstance(each, str) for each in found):
        raise Damaged(f"{key}: found {found!r:.80}; wanted texts")
    return tuple(found)


def _one_of(value: Any, allowed: Sequence[Any]) -> Any:
    if value not in allowed:
        raise Damaged(f"finish: found {value!r:.80}; wanted one of {', '.join(allowed)}")
    return _shared(value)


def field(values: Mapping[str, Any], key: str, *kinds: type, default: Any = _MISSING) -> Any:
    """The value of `key`, of one of `kinds`; `default` where it is not there.

    Raises:
        Damaged: it is of another kind, or is not there and must be.
    """
    value = values.get(key, default)
    if value is _MISSING:
        raise Damaged(f"found no '{key}'; wanted {_named(kinds)}")
    return taken(value, *kinds, what=key) if key in values else value


def real(value: float) -> float:
    """A number of JSON as a float; infinite where no float is so large.

    JSON knows whole numbers of any length.
    """
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf


def taken(value: Any, *kinds: Any, what: str) -> Any:
    """`value`, which is to be of one of `kinds`.

    Raises:
        Damaged: it is not.
    """
    if not is_a(value, *kinds):
        raise Damaged(f"{what}: found {value!r:.80}; wanted {_named(kinds)}")
    return value


def is_a(value: Any, *kinds: type) -> bool:
    """Whether `value` is of one of `kinds` exactly: to JSON, true is no number."""
    return type(value) in kinds


def _named(kinds: Sequence[type]) -> str:
    return " or ".join(_NAMES[kind] for kind in kinds)


def see_keys(values: Mapping[str, Any], known: set[str]) -> None:
    """See that there is no key but those that are known.

    Raises:
        Damaged: there is.
    """
    if strange := sorted(values.keys() - known):
        raise Damaged(f"found the key {strange[0]!r:.60}; wanted none but {', '.join(sorted(known))}")


@lru_cache(maxsize=1024)
def _shared(value: T) -> T:
    """The same object for the same value: most answers of a recording have these in common."""
    return value
