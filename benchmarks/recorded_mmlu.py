"""The rules on recorded answers: ``python benchmarks/recorded_mmlu.py RECORDED.jsonl OUT_FOLDER``.

RECORDED.jsonl has a line for each question of MMLU, with the letters that two models answered: {"id", "category",
"correct_answer", "baseline", "model"}. They become a suite and two recordings in OUT_FOLDER, which the gate compares as
it would compare two models, at a `max_drop` of 0.01 and of 0.05 for the whole and for each subject, by each rule. The
questions' text is not recorded, so that an id stands in its place. An answer that is no letter, "[Invalid] : …", is
taken as it stands: a wrong answer, not a missing one.

Prints what was forgotten and learned, what each rule decides, and which subjects are red. Takes 15 seconds of
one core.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tabulate import tabulate

from pytest_forgetting import compare
from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.recording import Recorded
from pytest_forgetting.answers.recording_file import write
from pytest_forgetting.answers.requests import requests_for
from pytest_forgetting.comparison.comparison import Comparison
from pytest_forgetting.comparison.gates import rule, weigh
from pytest_forgetting.comparison.participants import Participant
from pytest_forgetting.comparison.scopes import ScopeResult
from pytest_forgetting.models.source import Source
from pytest_forgetting.settings import RULES
from pytest_forgetting.suites.loading import load_suite

ALLOWED = ("0.01", "0.05")
CONFIDENCE = 0.95
SUITE = """\
forgetting: qa
name: MMLU
template: "{{question}}"
match: exact
gate: {{max_drop: {allowed}, category_max_drop: {allowed}}}
source: {{path: cases.jsonl, fields: {{question: id}}}}
"""


def convert(recorded: Path, folder: Path) -> None:
    """Write a suite for each threshold, and the two recordings."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(recorded, folder / "cases.jsonl")
    for allowed in ALLOWED:
        (folder / f"mmlu-{allowed}.yaml").write_text(SUITE.format(allowed=allowed), encoding="utf-8")
    rows = [json.loads(line) for line in recorded.read_text(encoding="utf-8").splitlines()]
    suite = load_suite(folder / f"mmlu-{ALLOWED[0]}.yaml")
    asked = [requests_for(case.prompt, chat=False)[0] for case in suite.cases]
    for side in ("baseline", "model"):
        answers = [Answer(row[side], "eos") for row in rows]
        pairs = zip(suite.cases, asked, answers, strict=True)
        lines = [Recorded(suite.name, case.id, request, answer) for case, request, answer in pairs]
        write(folder / f"{side}.json", Source(Participant(side, side)), lines)


def compared(folder: Path, allowed: str, name: str) -> Comparison:
    """What the gate says at `allowed` by the rule `name`."""
    model, baseline = folder / "model.json", folder / "baseline.json"
    suite = folder / f"mmlu-{allowed}.yaml"
    return compare(model=model, baseline=baseline, suites=suite, rule=name, confidence=CONFIDENCE, no_store=True)


def red(scopes: Sequence[ScopeResult]) -> list[ScopeResult]:
    """Those that fail, the largest drop first."""
    failed = [scope for scope in scopes if scope.ruling.verdict == "fail"]
    return sorted(failed, key=lambda scope: scope.counts.drop, reverse=True)


def by_themselves(scopes: Sequence[ScopeResult]) -> int:
    """How many would fail if each were the only one tested."""
    alone = ((scope, weigh(scope.counts, scope.threshold.allowed, CONFIDENCE)) for scope in scopes)
    return sum(rule(scope.counts, scope.threshold, evidence).verdict == "fail" for scope, evidence in alone)


def row(allowed: str, name: str, comparison: Comparison) -> list[str]:
    """One line of the table."""
    (suite,) = comparison.suites
    verdicts = [scope.ruling.verdict for scope in suite.categories]
    counted = [str(verdicts.count(verdict)) for verdict in ("fail", "inconclusive", "pass")]
    overall = suite.overall.ruling.verdict.upper()
    alone = str(by_themselves(suite.categories)) if name == "significant" else ""
    return [allowed, name, overall, *counted, alone, comparison.decision.upper()]


def told(comparison: Comparison) -> Iterator[str]:
    """What does not hang on the rule."""
    (suite,) = comparison.suites
    counts, evidence = suite.overall.counts, suite.overall.evidence
    assert evidence is not None, "there are cases"
    yield f"{counts.n} cases, {len(suite.categories)} subjects: {counts.forgotten} forgotten, {counts.learned} learned"
    yield f"drop {float(counts.drop) * 100:.2f} points ({evidence.low * 100:.2f} … {evidence.high * 100:.2f})"
    unread = [result for result in suite.results for side in (result.baseline, result.model) if len(side.answer) > 1]
    yield f"{len(unread)} answers from which no letter could be read, of both models, count as wrong"


def subjects(comparison: Comparison) -> str:
    """The red ones, with their drops in points."""
    failed = red(comparison.suites[0].categories)
    return ", ".join(f"{scope.name} {float(scope.counts.drop) * 100:.1f}" for scope in failed) or "none"


def main() -> None:
    """Convert, compare, print."""
    recorded, folder = map(Path, sys.argv[1:])
    convert(recorded, folder)
    runs = {(allowed, name): compared(folder, allowed, name) for allowed in ALLOWED for name in RULES}
    print(*told(next(iter(runs.values()))), sep="\n", end="\n\n")
    heads = ["max_drop", "rule", "overall", "red subjects", "inconclusive", "green", "red without Holm", "decision"]
    print(tabulate([row(*key, run) for key, run in runs.items()], heads, tablefmt="github", disable_numparse=True))
    for (allowed, name), run in runs.items():
        if name != "proven":
            print(f"\nred at {allowed} under {name}: {subjects(run)}")


if __name__ == "__main__":
    main()
