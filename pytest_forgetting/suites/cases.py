"""What is asked: suites and their cases, as plain frozen values without YAML or pydantic in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Literal

from pytest_forgetting.settings import Rule

Kind = Literal["qa", "checklist", "choice", "text"]
Role = Literal["general", "target"]
Severity = Literal["critical", "high", "medium", "low"]
MatchRule = Literal["word", "exact", "number", "contains", "regex"]
Score = Literal["acc", "acc_norm", "acc_bytes"]

THINK_TOKENS = 1024
"""Most tokens of thoughts before an answer, where a suite does not say otherwise."""
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
"""From the gravest down."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question in both forms that a model may need."""

    text: str
    """For a model without a chat template."""
    messages: tuple[Message, ...]
    """For a model with one."""
    text_stop: tuple[str, ...] = ()
    """Strings that end an answer to `text`."""
    chat_stop: tuple[str, ...] = ()
    """Strings that end an answer to `messages`."""
    max_new_tokens: int = 50
    think_tokens: int = THINK_TOKENS
    """Most tokens of thoughts before the answer, in addition to `max_new_tokens`."""
    samples: int = 1
    """How often it is asked."""
    temperature: float = 0.0
    """0: the likeliest answer; above, answers are drawn."""
    continuations: tuple[str, ...] = ()
    """Texts whose log-likelihood behind the prompt is wanted, in the place of an answer (choice, text)."""
    delimiter: str = ""
    """Stands between `text` and each continuation; a chat template ends where the answer begins, and needs none."""


@dataclass(frozen=True, slots=True)
class Check:
    """One condition on an answer, of a checklist case."""

    type: str
    """The check's name without `not-`, as in `grading.checks`."""
    value: object = None
    negated: bool = False
    """Written with `not-`: the answer must fail the check."""


@dataclass(frozen=True, slots=True)
class Case:
    """One question and what a right answer looks like."""

    id: str
    category: str
    prompt: Prompt
    expected: tuple[str, ...] = ()
    """Accepted answers (qa); empty for a checklist case."""
    match: MatchRule | None = None
    """How `expected` is compared with the answer (qa)."""
    checks: tuple[Check, ...] = ()
    """All must hold (checklist)."""
    right_choice: int | None = None
    """Which of the prompt's continuations is right, counted from 0 (choice)."""
    score: Score = "acc"
    """By what measure the likeliest choice is found (choice)."""
    title: str = ""
    """What a person reads in lists: the question, or the checklist entry's `test`."""
    severity: Severity | None = None
    """Set for checklist cases only."""
    require_pass: bool = False
    """The model alone is judged: a wrong answer fails whatever the baseline said."""
    tags: tuple[str, ...] = ()
    skip: str | None = None
    """The reason, if the case is not to be asked."""
    cluster: str | None = None
    """Cases of one cluster are not independent of each other."""
    measured: bool = False
    """A text that is measured, not judged (text)."""
    file: str = ""
    """The file that the case stands in (the suite's, or its source's), as shown to people."""
    line: int = 0
    """1-based line in `file`."""

    @property
    def choices(self) -> tuple[str, ...]:
        """What can be chosen from (choice); empty for all other kinds."""
        return () if self.right_choice is None else self.prompt.continuations


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """How much may be lost. All fractions are exact: 0.1 means one tenth."""

    max_drop: Fraction = Fraction(1, 10)
    category_max_drop: Mapping[str, Fraction] = field(default_factory=dict)
    """Allowed drop by category name."""
    every_category_max_drop: Fraction | None = None
    """Allowed drop of each category that `category_max_drop` does not name; None: reported, not gated."""
    rule: Rule = "threshold"
    """How sure a gate must be; see `comparison.gates.rule`."""
    min_gain: Fraction = Fraction(0)
    """`role: target` only."""
    min_retention: Fraction | None = None
    """Least share of what the baseline knew that must be kept; None: not asked for."""
    max_increase: Fraction | None = None
    """By which share the cross-entropy of texts may grow (text); None: it is only reported."""

    def category_threshold(self, category: str) -> Fraction | None:
        """The allowed drop of `category`, or None where categories are reported only."""
        return self.category_max_drop.get(category, self.every_category_max_drop)


@dataclass(frozen=True, slots=True)
class DatasetRead:
    """A dataset that cases of a suite are from."""

    name: str
    config: str | None
    split: str
    revision: str | None
    """Its commit on the Hub; None for a folder."""
    pinned: bool
    """Whether the suite names that very commit; true of folders."""
    line: int
    """1-based line of the suite that names it."""


@dataclass(frozen=True)
class Suite:
    """One suite file, read and checked."""

    path: Path
    name: str
    kind: Kind
    cases: tuple[Case, ...]
    role: Role = "general"
    gate: GatePolicy = field(default_factory=GatePolicy)
    gate_line: int = 1
    """1-based line of the `gate:` key, else of `forgetting:`."""
    fail_on: Severity = "critical"
    """Forgotten cases of this severity or a graver one fail by themselves (checklist)."""
    nodeid: str = ""
    """The suite's path as reports show it and pytest selects it."""
    datasets: tuple[DatasetRead, ...] = ()
    """Where cases are from that stand in no file beside the suite."""

    @property
    def gated(self) -> bool:
        """Whether the suite as a whole has a gate; texts have one only if a limit was set."""
        return self.kind != "text" or self.gate.max_increase is not None

    @property
    def categories(self) -> tuple[str, ...]:
        """Category names in the order of their first case."""
        return tuple(self._by_category)

    def scope(self, category: str | None) -> Sequence[Case]:
        """The cases of `category`, or (None) all."""
        return self.cases if category is None else self._by_category[category]

    def gate_scope(self, category: str | None) -> Sequence[Case]:
        """The cases that the gate over `category` (None: over the suite) cannot do without.

        Under the rule `significant` the categories are judged as a family, so that each needs the others.
        """
        if category is None or self.gate.rule != "significant":
            return self.scope(category)
        return self._family

    @cached_property
    def _family(self) -> tuple[Case, ...]:
        return tuple(case for case in self.cases if self.gate.category_threshold(case.category) is not None)

    @cached_property
    def _by_category(self) -> dict[str, list[Case]]:
        members: dict[str, list[Case]] = {}
        for case in self.cases:
            members.setdefault(case.category, []).append(case)
        return members
