"""The schema of suite files."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pytest_forgetting.settings import Rule
from pytest_forgetting.suites.cases import THINK_TOKENS, Kind, MatchRule, Role, Score, Severity
from pytest_forgetting.suites.key_types import (
    Answers,
    AnswerText,
    Columns,
    Growth,
    Name,
    Share,
    Shares,
    Stops,
    Tag,
    Whole,
    Words,
)


class Strict(BaseModel):
    """Unknown keys are errors; nothing is converted in silence. What stands below a key describes it to editors."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, strict=False, use_attribute_docstrings=True)


class Turn(Strict):
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    """Who speaks."""
    content: Words
    """What is said."""


class Shot(Strict):
    """One worked example."""

    question: Words
    """What is asked."""
    answer: AnswerText
    """The right answer."""


class GateKeys(Strict):
    """How much may be lost."""

    max_drop: Share = Fraction(1, 10)
    """The largest drop of accuracy that passes, as 0.1 or 10%."""
    category_max_drop: Shares | None = None
    """The same for every category, or for some by name. Left out: categories are reported, not gated."""
    rule: Rule = "threshold"
    """How sure the gate must be: threshold (the counts as they are), significant, or proven."""
    min_gain: Share = Fraction(0)
    """What a suite of `role: target` must gain."""
    min_retention: Share | None = None
    """The least share of what the baseline knew that must be kept."""
    max_increase: Growth | None = None
    """By which share cross-entropy may grow (text suites); left out: it is only reported."""


class CaseKeys(Strict):
    """One case of any kind."""

    id: Name | None = None
    """Names the case in node ids; left out: made from the prompt. May not be `gate`."""
    category: Name = "general"
    """Groups cases in tables and gates. May not be `gate`."""
    question: Words | None = None
    """Goes through the suite's template."""
    prompt: Words | None = None
    """Taken as it is, in the place of a question."""
    messages: Annotated[list[Turn], Field(min_length=1)] | None = None
    """A chat taken as it is, in the place of a question."""
    correct_answer: Answers | None = None
    """What is right: one answer or several (qa), or one of the choices, its number from 0 or its label (choice)."""
    match: MatchRule | None = None
    """How an answer is compared: word, exact, number, contains or regex. Left out: as the suite says (qa)."""
    choices: Annotated[list[AnswerText], Field(min_length=2)] | None = None
    """What can be chosen from; all different (choice)."""
    labels: Annotated[list[AnswerText], Field(min_length=2)] | None = None
    """What the answer calls the choices, in their order, as A, B, C; models do not see them (choice)."""
    text: Words | None = None
    """The text that is measured (text)."""
    test: Words | None = None
    """What is tested, for people (checklist)."""
    checks: Annotated[list[Any], Field(min_length=1)] | None = None
    """All must hold (checklist). With `not-` before its name a check must fail."""
    severity: Severity | None = None
    """How grave it is to forget this; left out: as the suite says (checklist)."""
    require: Literal["pass"] | None = None
    """The model alone is judged: a wrong answer fails whatever the baseline said (checklist)."""
    tags: tuple[Tag, ...] = ()
    """Become pytest markers: `-m TAG`."""
    skip: Words | None = None
    """Why this case is not asked."""
    cluster: Words | None = None
    """Cases of one cluster are not taken for independent of each other."""


class SourceKeys(Strict):
    """Cases in a file beside the suite, or in a dataset."""

    path: Words | None = None
    """A .jsonl, .csv or .parquet file in the suite's folder or below."""
    dataset: Words | None = None
    """In the place of a path: a dataset's name on the Hugging Face Hub, or a folder of data in the suite's folder or
    below."""
    config: Words | None = None
    """Which of the dataset's configs."""
    split: Words | None = None
    """Which of the dataset's splits; left out where there is only one."""
    revision: Words | None = None
    """Commit, tag or branch of a dataset on the Hub; a commit keeps the cases the same."""
    fields: dict[str, Columns] = {}
    """Keys of a case and the columns that hold them; `answers.text` is the key `text` in the column `answers`.
    `choices` may have a column each: `[option1, option2]`, or with their labels `{A: option1, B: option2}`."""


OF_DATASETS = ("config", "split", "revision")
"""Keys of a source that mean something beside `dataset` only."""


class SuiteKeys(Strict):
    """A whole suite file; its cases are checked one by one."""

    forgetting: Kind
    """What kind of suite this file is: questions with answers (qa), prompts with checks (checklist), choices that are
    scored by likelihood (choice), or texts that are measured (text)."""
    name: Words | None = None
    """As reports call it; left out: the file's name."""
    role: Role = "general"
    """general: must be kept. target: what the tuning was for, its gate asks for a gain (gate: min_gain)."""
    template: Words | None = None
    """How a question becomes a prompt; `{question}` stands for it."""
    messages: Annotated[list[Turn], Field(min_length=1)] | None = None
    """The same as a chat; `{question}` stands in one of them."""
    system: Words | None = None
    """A system message before every question."""
    few_shot: list[Shot] = []
    """Worked examples before every question."""
    max_new_tokens: Annotated[Whole, Field(gt=0, le=100_000)] = 50
    """The longest answer."""
    think_tokens: Annotated[Whole, Field(ge=0, le=1_000_000)] = THINK_TOKENS
    """The longest thoughts before an answer, beside max_new_tokens."""
    stop: Stops | None = None
    """Strings that end an answer. Left out: the end of the line behind the default template, else none."""
    samples: Annotated[Whole, Field(gt=0, le=1000)] = 1
    """How often each case is asked; above 1 with a temperature."""
    temperature: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False, strict=True)] = 0.0
    """0: the likeliest answer; above it, answers are drawn."""
    match: MatchRule = "word"
    """How answers are compared: word, exact, number, contains or regex."""
    score: Score = "acc"
    """What makes a choice the likeliest: the log-likelihood of all of it, per character or per byte."""
    delimiter: str = " "
    """Stands between prompt and choice."""
    severity: Severity = "medium"
    """Of the cases that name none."""
    fail_on: Severity = "critical"
    """Forgotten cases of this severity or a graver one fail by themselves."""
    gate: GateKeys = GateKeys()
    """How much may be lost."""
    cases: list[Any] = []
    """What is asked."""
    source: Any = None
    """A .jsonl, .csv or .parquet file with cases, beside those written here, or a dataset; or several."""


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
    "labels": ("choice",),
    "text": ("text",),
    "test": ("checklist",),
    "checks": ("checklist",),
    "severity": ("checklist",),
    "require": ("checklist",),
}
"""The same for the keys of a case."""

ASKED = ("question", "prompt", "messages")
"""The keys of which a case has one, except a text."""
MEASURING = ("max_increase", "rule")
"""The keys that the gate of a text suite may have; it alone has the first."""

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
