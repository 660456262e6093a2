"""The schema of suite files."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pytest_forgetting.settings import Rule, exact, fraction
from pytest_forgetting.suites.cases import THINK_TOKENS, Kind, MatchRule, Role, Score, Severity

MOST_GROWTH = 100
"""Of a cross-entropy: whoever allows more does not mean what was written."""


def _share(value: Any) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("wanted a share such as 0.1 or 10%")
    try:
        return fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise ValueError("wanted a share from 0 to 1, such as 0.1 or 10%") from None


def _growth(value: Any) -> Fraction:
    """A share that may be above 1: a cross-entropy can more than double."""
    try:
        text = str(value).strip()
        growth = exact(text[:-1]) / 100 if text.endswith("%") else exact(text)
    except (ValueError, ZeroDivisionError):
        growth = Fraction(-1)
    if isinstance(value, bool) or not 0 <= growth <= MOST_GROWTH:
        raise ValueError(f"wanted a share from 0 to {MOST_GROWTH}, such as 0.05 or 5%")
    return growth


def _answer(value: Any) -> str:
    if isinstance(value, bool):
        raise ValueError("YAML reads an unquoted yes, no, true or false as a truth value; wanted it in quotes")
    if not isinstance(value, str | int | float) or not str(value).strip():
        raise ValueError("wanted a text or a number")
    return str(value)


def _answers(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _strings(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Share = Annotated[Fraction, BeforeValidator(_share)]
AnswerText = Annotated[str, BeforeValidator(_answer)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\-+=@ ]+$", max_length=200)]
Words = Annotated[str, Field(min_length=1, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
Tag = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Strict(BaseModel):
    """Unknown keys are errors; nothing is converted in silence."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, strict=False)


class Turn(Strict):
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: Words


class Shot(Strict):
    """One worked example."""

    question: Words
    answer: AnswerText


class GateKeys(Strict):
    """How much may be lost."""

    max_drop: Share = Fraction(1, 10)
    category_max_drop: Share | dict[str, Share] | None = None
    rule: Rule = "threshold"
    min_gain: Share = Fraction(0)
    min_retention: Share | None = None
    max_increase: Annotated[Fraction, BeforeValidator(_growth)] | None = None


class CaseKeys(Strict):
    """One case of any kind."""

    id: Name | None = None
    category: Name = "general"
    question: Words | None = None
    prompt: Words | None = None
    messages: Annotated[list[Turn], Field(min_length=1)] | None = None
    correct_answer: Annotated[list[AnswerText], BeforeValidator(_answers), Field(min_length=1)] | None = None
    match: MatchRule | None = None
    choices: Annotated[list[AnswerText], Field(min_length=2)] | None = None
    text: Words | None = None
    test: Words | None = None
    checks: Annotated[list[Any], Field(min_length=1)] | None = None
    severity: Severity | None = None
    require: Literal["pass"] | None = None
    tags: tuple[Tag, ...] = ()
    skip: Words | None = None
    cluster: Words | None = None


class SourceKeys(Strict):
    """A file of cases beside the suite."""

    path: Words
    fields: dict[str, str] = {}


class SuiteKeys(Strict):
    """A whole suite file; its cases are checked one by one."""

    forgetting: Kind
    name: Words | None = None
    role: Role = "general"
    template: Words | None = None
    messages: Annotated[list[Turn], Field(min_length=1)] | None = None
    system: Words | None = None
    few_shot: list[Shot] = []
    max_new_tokens: Annotated[int, Field(gt=0, le=100_000)] = 50
    think_tokens: Annotated[int, Field(ge=0, le=1_000_000)] = THINK_TOKENS
    stop: Annotated[list[Annotated[str, Field(min_length=1)]], BeforeValidator(_strings)] | None = None
    samples: Annotated[int, Field(gt=0, le=1000)] = 1
    temperature: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] = 0.0
    match: MatchRule = "word"
    score: Score = "acc"
    delimiter: str = " "
    severity: Severity = "medium"
    fail_on: Severity = "critical"
    gate: GateKeys = GateKeys()
    cases: list[Any] = []
    source: Any = None


_GENERATING: tuple[Kind, ...] = ("qa", "checklist")
_PROMPTING: tuple[Kind, ...] = (*_GENERATING, "choice")

MEANINGFUL: dict[str, tuple[Kind, ...]] = {
    "template": _PROMPTING,
    "messages": _PROMPTING,
    "system": _PROMPTING,
    "few_shot": _PROMPTING,
    "max_new_tokens": _GENERATING,
    "think_tokens": _GENERATING,
    "stop": _GENERATING,
    "samples": _GENERATING,
    "temperature": _GENERATING,
    "match": ("qa",),
    "score": ("choice",),
    "delimiter": ("choice",),
    "severity": ("checklist",),
    "fail_on": ("checklist",),
}
"""Keys of a suite that mean something in some kinds only."""

ANSWERING: dict[str, tuple[Kind, ...]] = {
    "question": _PROMPTING,
    "prompt": _PROMPTING,
    "messages": _PROMPTING,
    "correct_answer": ("qa", "choice"),
    "match": ("qa",),
    "choices": ("choice",),
    "text": ("text",),
    "test": ("checklist",),
    "checks": ("checklist",),
    "severity": ("checklist",),
    "require": ("checklist",),
}
"""The same for the keys of a case."""

NEEDED: dict[Kind, tuple[str, ...]] = {
    "qa": ("correct_answer",),
    "checklist": ("checks", "test"),
    "choice": ("choices", "correct_answer"),
    "text": ("text",),
}
"""Keys that a case of each kind must have, beside what is asked."""

SPELLINGS = {
    "input": "question",
    "answer": "correct_answer",
    "target": "correct_answer",
    "ideal": "correct_answer",
    "expected_output": "correct_answer",
    "assert": "checks",
}
"""What users know from elsewhere, and what it is called here."""
