"""Comparisons for the HTML report: one with everything in it that a run can have, and large and hostile ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from pytest_forgetting.comparison.comparison import Comparison, Recommendation, decide
from pytest_forgetting.comparison.judge import Judge
from pytest_forgetting.comparison.outcomes import CaseResult, Graded, RightAnswer
from pytest_forgetting.comparison.participants import Finding, Participant
from pytest_forgetting.comparison.scopes import SuiteResult
from pytest_forgetting.suites.cases import Case, Check, GatePolicy, Kind, Prompt, Role, Severity, Suite

SILENT = Graded("", "unanswered", False, "the prompt is longer than the context")


def answered(
    name: str,
    had: str,
    has: str,
    *,
    expected: str = "Paris",
    category: str = "geography",
    **more: Any,
) -> CaseResult:
    """A question with both answers, right where they begin with `expected`."""
    question = f"What of {name}?"
    case = Case(name, category, Prompt(question, ()), (expected,), "word", title=question, file="s.yaml", line=7)
    prompt = f"Question: {question}\nAnswer:"
    return replace(CaseResult(case, prompt, _judged(had, expected), _judged(has, expected)), **more)


def _judged(text: str, expected: str) -> Graded:
    right = text.startswith(expected)
    return Graded(text, "eos", right, "" if right else f"wanted {expected}")


def outcomes(
    retained: int = 0, forgotten: int = 0, learned: int = 0, unknown: int = 0, category: str = "geography"
) -> list[CaseResult]:
    """As many questions of each outcome."""
    answers = [("Paris", "Paris", retained), ("Paris", "Rome", forgotten), ("Rome", "Paris", learned)]
    answers.append(("Rome", "Oslo", unknown))
    said = [(had, has) for had, has, times in answers for _ in range(times)]
    return [answered(f"{category}-{n}", had, has, category=category) for n, (had, has) in enumerate(said)]


def checked(name: str, has: str, severity: Severity = "critical") -> CaseResult:
    """A checklist case that the baseline passed; the model passes it where it says 10."""
    check = Check("number", {"value": 10, "tolerance": 0})
    case = Case(name, "reasoning", Prompt("Count.", ()), checks=(check,), title=name, severity=severity)
    return CaseResult(case, "Count.", Graded("10", "eos", True), Graded(has, "eos", has == "10", "number: not 10"))


def chosen(name: str, pick: int) -> CaseResult:
    """A choice case that the baseline got right."""
    choices = ("Rome", "Oslo", "Bonn")
    case = Case(name, "capitals", Prompt("Italy?", (), continuations=choices), ("Rome",), right_choice=0, title=name)
    held = tuple(-1.0 if n == pick else -3.0 for n in range(3))
    had = Graded("Rome", "scored", True, "", (-1.0, -2.0, -3.0))
    return CaseResult(case, "Italy?", had, Graded(choices[pick], "scored", pick == 0, "held another likelier", held))


def text(name: str, had: float, has: float) -> CaseResult:
    """A text of a hundred bytes with both cross-entropies in nats."""
    case = Case(name, "stories", Prompt("", (), continuations=("x" * 100,)), measured=True, title=name)
    before, now = (Graded("", "scored", False, loglikelihoods=(-loss,)) for loss in (had, has))
    return CaseResult(case, "x" * 100, before, now, 0.5, 20)


def suite(
    name: str, results: Sequence[CaseResult], *, kind: Kind = "qa", role: Role = "general", **policy: Any
) -> SuiteResult:
    """These results, judged."""
    cases = tuple(result.case for result in results)
    asked = Suite(Path("s.yaml"), name, kind, cases, role, GatePolicy(**policy), nodeid=f"suites/{name}.yaml")
    return Judge().suite(asked, results)


def comparison(*suites: SuiteResult, **more: Any) -> Comparison:
    """A run of these suites."""
    failing = sum(len(each.failing_cases) for each in suites)
    decision = decide([scope.ruling for each in suites for scope in each.gates], failing)
    sides = Participant("base", "b" * 64, "float32", "cpu", 1000), Participant("tuned", "t" * 64, "float32", "cpu")
    given = {"settings": {"confidence": 0.95, "inconclusive": "warn"}, **more}
    return Comparison(decision, *sides, suites, **given)


def everything() -> Comparison:
    """One of each: kinds, roles, verdicts, outcomes, causes, findings, advice."""
    lost = answered("loss", "Paris is the capital of France", "Rome is the capital of France")
    weighed = replace(lost, case=replace(lost.case, id="weighed"), right=RightAnswer("Paris", -0.5, float("-inf")))
    noisy = answered("noise", "Paris", "Paris", first="forgotten")
    silent = replace(answered("silent", "Paris", ""), model=SILENT)
    thoughtful = answered("thought", "Paris", "Rome")
    thoughtful = replace(thoughtful, model=replace(thoughtful.model, answer="<think>Hm.</think>\nRome"))
    drawn = answered("drawn", "Paris", "Rome")
    drawn = replace(
        drawn,
        case=replace(drawn.case, prompt=replace(drawn.case.prompt, samples=5)),
        baseline=replace(drawn.baseline, right_share=Fraction(1)),
        model=replace(drawn.model, right_share=Fraction(1, 5)),
    )
    questions = [lost, weighed, noisy, thoughtful, *outcomes(60, 2, 1, 3), *outcomes(30, 0, 1, 0, "history")]
    choices = [chosen("Rome", 0), chosen("Italy", 1), *(chosen(f"c{n}", 0) for n in range(8))]
    checks = [checked("Counting", "9"), checked("Adding", "10"), checked("Taking", "8", "low")]
    texts = [text("a", 50, 55), text("b", 40, 47), text("c", 60, 64)]
    return comparison(
        suite("Questions", [*questions, silent], max_drop=Fraction(1, 20), every_category_max_drop=Fraction(1, 10)),
        suite("Samples", [drawn, *outcomes(3)], max_drop=Fraction(1, 2)),
        suite("Abilities", checks, kind="checklist"),
        suite("Choices", choices, kind="choice"),
        suite("Texts", texts, kind="text", max_increase=Fraction(1, 20)),
        suite("Dosage", outcomes(0, 0, 12, 3, "doses"), role="target", min_gain=Fraction(1, 2)),
        suite("Unknown", outcomes(0, 0, 0, 6), max_drop=Fraction(1, 10)),
        audit=(Finding("dtype", "warning", "they differ"), Finding("adapter", "fatal", "it changes nothing")),
        recommendations=(Recommendation("replay", "mix in replay", "1 of 1 losses is knowledge"),),
    )


HOSTILE = (
    "<script>window.broken = 1</script>",
    "</script><script>window.broken = 1</script>",
    "<img src=x onerror='window.broken = 1'>",
    "<!--",
    "]]>",
    "\"'&amp;&lt;",
    "$x$ \\frac{1}{2}",
    "{{ 7 * 7 }}{% raw %}",
    "\x1b[31mred\x1b[0m",
    "\x00\x07\x85",
    "\ud800 and \udfff",
    "\u202egnihtyna",
    "javascript:window.broken=1",
)
"""What a model, a suite or a reference may hold."""


def hostile(texts: Sequence[str] = HOSTILE) -> Comparison:
    """Each of `texts` everywhere: as names, questions, answers, findings and references."""
    results = [
        replace(case, case=replace(case.case, title=text, id=f"c{n}", expected=(text,)), prompt=text)
        for n, text in enumerate(texts)
        for case in [answered("x", f"Paris {text}", f"Rome {text}", category=text)]
    ]
    suites = [suite(text, results, every_category_max_drop=Fraction(1, 10)) for text in texts]
    findings = tuple(Finding(text, "warning", text) for text in texts)
    advice = tuple(Recommendation(text, text, text) for text in texts)
    made = comparison(*suites, audit=findings, recommendations=advice)
    return replace(made, model=Participant("".join(texts), "".join(texts)), settings={"chat_template": "".join(texts)})
