"""From judged suites to the run's decision, and what a comparison does without anyone to show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from pytest_forgetting.comparison.comparison import Comparison, Timing, blocks, decide
from pytest_forgetting.comparison.gates import Ruling, Threshold
from pytest_forgetting.comparison.judge import Judge, by_cluster, overall_threshold, too_small
from pytest_forgetting.comparison.outcomes import CaseResult, Graded
from pytest_forgetting.comparison.participants import NOT_STATED, Participant
from pytest_forgetting.comparison.scopes import SuiteResult
from pytest_forgetting.errors import NotFound
from pytest_forgetting.suites.cases import GatePolicy, Role, Suite
from tests.comparison.lost import PROMPT, RIGHT, forgotten, learned, retained, suite_of
from tests.comparison.measuring import measured

BASE, TUNED = Participant("base", "f1"), Participant("./ckpt", "f2")
KNOWN, LOST = suite_of([retained()] * 10), suite_of([retained()] * 8 + [forgotten("Rome")] * 2)
FLOOR = suite_of([learned()] * 10)


def compared(*suites: SuiteResult, **given: Any) -> Comparison:
    """A comparison of these suites."""
    return Comparison("pass", BASE, TUNED, suites, **given)


@pytest.mark.parametrize(
    ("verdicts", "decision"),
    [
        (["pass", "pass"], "pass"),
        (["pass", "inconclusive"], "inconclusive"),
        (["inconclusive", "fail"], "fail"),
        ([], "inconclusive"),
    ],
)
def test_the_worst_gate_decides(verdicts: list[Any], decision: str) -> None:
    """Failed before undecided before passed; without a gate nothing is decided."""
    assert decide([Ruling(verdict, "") for verdict in verdicts], 0) == decision


@pytest.mark.parametrize("setting", ["warn", "fail", "pass"])
def test_only_an_undecided_gate_asks_for_the_setting(setting: Any) -> None:
    """A failed one is red and a passed one green under each."""
    assert blocks(Ruling("fail", ""), setting, general_decided=True)
    assert not blocks(Ruling("pass", ""), setting, general_decided=False)


@pytest.mark.parametrize(
    ("suites", "settings", "red"),
    [
        ([KNOWN], {}, False),
        ([KNOWN, LOST], {}, True),
        ([FLOOR], {}, True),
        ([FLOOR], {"inconclusive": "pass"}, False),
        ([KNOWN, suite_of([retained()] * 10, "target")], {}, False),
    ],
)
def test_a_run_is_red_where_a_gate_blocks(suites: list[SuiteResult], settings: dict[str, object], red: bool) -> None:
    """A loss beyond the threshold, or nothing measured unless `pass` was asked for."""
    assert compared(*suites, settings=settings).fails_build is red


def undecided(n: int) -> SuiteResult:
    """A suite of which two in a hundred and one more went unanswered."""
    silent = replace(retained(), model=replace(retained().model, finish="unanswered"))
    return suite_of([retained()] * (n - 3) + [silent] * 3)


def test_an_undecided_gate_is_red_where_no_general_one_decided() -> None:
    """A target suite that passed measured no forgetting."""
    assert not compared(undecided(100), KNOWN).fails_build
    assert compared(undecided(100)).fails_build
    assert compared(undecided(100), suite_of([retained()] * 10, "target")).fails_build


def test_a_critical_case_makes_a_run_red() -> None:
    """Though the gate of its suite passes."""
    critical = forgotten("Rome", case=replace(retained().case, severity="critical"))
    suite = suite_of([retained()] * 19 + [critical])
    assert suite.overall.ruling.verdict == "pass"
    assert suite.failing_cases == (critical,)
    assert compared(suite).fails_build
    assert not compared(suite_of([retained()] * 19 + [forgotten("Rome")])).fails_build


def test_a_comparison_without_a_view_shows_its_decision() -> None:
    """In one line; there is no table and no file."""
    bare = compared(KNOWN)
    assert repr(bare) == str(bare) == "<Comparison pass>"
    assert bare._repr_html_() is None
    with pytest.raises(AssertionError, match=r"^whoever compares brings a view along"):
        bare.write("report.json")


class Told:
    """A view that tells what it was asked."""

    def __init__(self) -> None:
        """Nothing was written yet."""
        self.written: list[tuple[Comparison, Path]] = []

    def line(self, comparison: Comparison) -> str:
        """The decision."""
        return f"line {comparison.decision}"

    def text(self, comparison: Comparison) -> str:
        """The decision."""
        return f"text {comparison.decision}"

    def html(self, comparison: Comparison) -> str:
        """The decision."""
        return f"html {comparison.decision}"

    def write(self, comparison: Comparison, path: Path) -> None:
        """Remember both."""
        self.written.append((comparison, path))


def test_a_comparison_shows_itself_through_its_view() -> None:
    """As a line, as text, as HTML and in a file."""
    view = Told()
    shown = compared(KNOWN, view=view)
    assert (repr(shown), str(shown), shown._repr_html_()) == ("line pass", "text pass", "html pass")
    shown.write("report.json")
    assert view.written == [(shown, Path("report.json"))]


def test_settings_that_were_not_given_are_the_defaults() -> None:
    """95 % and `warn`."""
    assert (compared().confidence, compared().inconclusive) == (0.95, "warn")
    stated = compared(settings={"confidence": 0.9, "inconclusive": "fail"})
    assert (stated.confidence, stated.inconclusive) == (0.9, "fail")


def test_a_server_without_a_revision_is_nobody_in_particular() -> None:
    """Two such fingerprints are equal and mean nothing."""
    assert BASE.is_identified
    assert not Participant("http://localhost/v1#m", NOT_STATED).is_identified


def test_what_was_not_computed_was_stored() -> None:
    """Seconds to the millisecond; what a side was asked beyond the cases is no stored answer."""
    timing = Timing.of(5, {"baseline": 1.23456, "model": 0.98765}, {"baseline": 7, "model": 2})
    assert timing == Timing(1.235, 0.988, 7, 2, 0, 3)
    assert Timing.of(5, {"baseline": 1, "model": 1}, {"baseline": 2, "model": 7}) == Timing(1, 1, 2, 7, 3, 0)


def judged(
    results: Sequence[CaseResult], *, confidence: float = 0.95, role: Role = "general", **gate: Any
) -> SuiteResult:
    """A suite of these results under a gate."""
    cases = tuple(result.case for result in results)
    suite = Suite(Path("s.yaml"), "Capitals", "qa", cases, role, GatePolicy(**gate), nodeid="s.yaml")
    return Judge(confidence).suite(suite, results)


def lost_of(category: str, lost: int, n: int) -> list[CaseResult]:
    """`n` cases of a category, of which so many were forgotten."""
    case = replace(retained().case, category=category)
    return [forgotten("Rome", case=case)] * lost + [retained(category)] * (n - lost)


def test_an_ungated_category_that_lost_too_much_is_named() -> None:
    """A tenth is no more than allowed; targets are to change."""
    results = [*lost_of("math", 2, 10), *lost_of("geography", 1, 10), *lost_of("art", 0, 20)]
    assert [scope.name for scope in judged(results).silent_losses] == ["math"]
    assert judged(results, every_category_max_drop=Fraction(1, 20)).silent_losses == ()
    assert judged(results, role="target").silent_losses == ()


def test_categories_are_held_to_their_own_thresholds() -> None:
    """Those that are named, or all; the others are reported, held against the suite's."""
    results = [*lost_of("math", 2, 10), *lost_of("geography", 1, 10)]
    named = judged(results, category_max_drop={"math": Fraction(3, 10)})
    assert [(scope.name, scope.ruling.verdict) for scope in named.gates] == [("Capitals", "fail"), ("math", "pass")]
    assert [scope.threshold.max_drop for scope in named.categories] == [Fraction(3, 10), Fraction(1, 10)]
    each = judged(results, every_category_max_drop=Fraction(1, 20), category_max_drop={"math": Fraction(3, 10)})
    assert [scope.ruling.verdict for scope in each.categories] == ["pass", "fail"]


def test_a_single_category_is_left_out_unless_it_is_gated() -> None:
    """It would repeat the suite."""
    assert judged(lost_of("math", 0, 10)).categories == ()
    assert len(judged(lost_of("math", 0, 10), every_category_max_drop=Fraction(1, 10)).categories) == 1


@pytest.mark.parametrize(
    ("losses", "n", "verdicts"),
    [
        # Mid-p of 5 of 5 discordant: 1/64 = 0.0156; four tested: 0.0625. Of 6: 1/128, times four 0.03125.
        ((5,), 25, ["fail"]),
        ((5, 0, 0, 0), 25, ["inconclusive", "inconclusive", "inconclusive", "inconclusive"]),
        ((6, 0, 0, 0), 25, ["fail", "inconclusive", "inconclusive", "inconclusive"]),
        ((6,), 20, ["fail"]),
        ((6,), 19, ["inconclusive"]),
    ],
)
def test_categories_under_significant_are_one_family(losses: tuple[int, ...], n: int, verdicts: list[str]) -> None:
    """Adjusted by Holm's method; fewer than 20 cases are not tested."""
    results = [each for number, lost in enumerate(losses) for each in lost_of(f"c{number}", lost, n)]
    found = judged(results, rule="significant", every_category_max_drop=Fraction(1, 10))
    assert [scope.ruling.verdict for scope in found.categories] == verdicts


def test_the_confidence_of_a_judge_is_that_of_its_family() -> None:
    """The adjusted 0.0625 is significant at 90 %."""
    results = [each for number, lost in enumerate((5, 0, 0, 0)) for each in lost_of(f"c{number}", lost, 25)]
    found = judged(results, confidence=0.9, rule="significant", every_category_max_drop=Fraction(1, 10))
    assert found.categories[0].ruling.verdict == "fail"
    just = judged(results, confidence=0.9375, rule="significant", every_category_max_drop=Fraction(1, 10))
    assert just.categories[0].ruling.verdict == "inconclusive"


def test_gates_that_were_not_asked_for_are_reported() -> None:
    """Of a selection only the gates named speak; None is the suite's own."""
    results = [*lost_of("math", 2, 10), *lost_of("geography", 1, 10)]
    cases = tuple(result.case for result in results)
    policy = GatePolicy(every_category_max_drop=Fraction(1, 10))
    suite = Suite(Path("s.yaml"), "Capitals", "qa", cases, gate=policy, nodeid="s.yaml")
    assert [scope.name for scope in Judge().suite(suite, results, [None]).gates] == ["Capitals"]
    assert [scope.name for scope in Judge().suite(suite, results, ["math"]).gates] == ["math"]
    assert [scope.name for scope in Judge().suite(suite, results).gates] == ["Capitals", "math", "geography"]


def clustered(n: int, lost: int, cluster: str | None) -> list[CaseResult]:
    """Cases of one cluster, all alike."""
    case = replace(retained().case, cluster=cluster)
    return [forgotten("Rome", case=case) if each < lost else replace(retained(), case=case) for each in range(n)]


def test_cases_of_a_cluster_are_weighed_together() -> None:
    """Six losses in one cluster tell less than six that stand by themselves."""
    alone = judged(clustered(6, 6, None) + clustered(30, 0, None), rule="significant")
    together = judged(clustered(6, 6, "a") + clustered(30, 0, None), rule="significant")
    assert (alone.overall.ruling.verdict, together.overall.ruling.verdict) == ("fail", "inconclusive")
    assert together.overall.evidence is not None
    assert together.overall.evidence.p_value == 0.25  # one cluster with a sum: half of P(S = s) = ½


@pytest.mark.parametrize(
    ("n", "skipped", "allowed", "told"),
    [
        (28, 0, Fraction(1, 10), "s.yaml: 28 cases cannot prove a drop under 10 pts if nothing changes, 29 could"),
        (29, 1, Fraction(1, 10), "s.yaml: 28 cases cannot prove a drop under 10 pts if nothing changes, 29 could"),
        (1, 0, Fraction(1, 10), "s.yaml: 1 case cannot prove a drop under 10 pts if nothing changes, 29 could"),
        (29, 0, Fraction(1, 10), None),
        (500, 0, Fraction(0), "s.yaml: no number of cases can prove a drop of 0 pts; allow a little more"),
    ],
)
def test_a_suite_too_small_for_its_threshold_is_told(n: int, skipped: int, allowed: Fraction, told: str | None) -> None:
    """Cases that are skipped prove nothing."""
    cases = (retained().case,) * (n - skipped) + (replace(retained().case, skip="not now"),) * skipped
    suite = Suite(Path("s.yaml"), "s", "qa", cases, gate=GatePolicy(max_drop=allowed), nodeid="s.yaml")
    assert too_small(suite, 0.95) == told


def test_targets_and_texts_are_never_too_small() -> None:
    """The one is to gain, the other is measured."""
    one = (retained().case,)
    assert too_small(Suite(Path("s.yaml"), "s", "qa", one, "target"), 0.95) is None
    assert too_small(Suite(Path("s.yaml"), "s", "text", one), 0.95) is None


def test_a_higher_confidence_asks_for_more_cases() -> None:
    """51 for 10 points at 99 %."""
    suite = Suite(Path("s.yaml"), "s", "qa", (retained().case,) * 50, nodeid="s.yaml")
    told = too_small(suite, 0.99)
    assert told is not None
    assert told.endswith(", 51 could")


def test_suites_of_one_name_are_told_apart_by_their_paths() -> None:
    """Which the message names; each is found by its own."""
    one, other = (replace(KNOWN, suite=replace(KNOWN.suite, nodeid=path)) for path in ("a.yaml", "b.yaml"))
    both = compared(one, other)
    assert (both.suite("a.yaml"), both.suite("b.yaml")) == (one, other)
    with pytest.raises(NotFound) as caught:
        both.suite("Capitals")
    assert str(caught.value) == "suite 'Capitals' is there 2 times; name one of a.yaml, b.yaml"


def test_of_many_names_ten_are_listed() -> None:
    """And of more, how many; an empty comparison has none to list."""
    with pytest.raises(NotFound) as caught:
        compared(judged([each for n in range(12) for each in lost_of(f"c{n:02}", 0, 1)])).category("qqqq")
    first = ", ".join(f"c{n:02}" for n in range(10))
    assert str(caught.value) == f"there is no category 'qqqq'; known: {first}, … and 2 more"
    with pytest.raises(NotFound, match="there is no category 'history'; did you mean 'historic'"):
        compared(judged([each for n in (*range(11), "historic") for each in lost_of(f"{n}", 0, 1)])).category("history")
    with pytest.raises(NotFound) as ten:
        compared(judged([each for n in range(10) for each in lost_of(f"c{n:02}", 0, 1)])).category("qqqq")
    assert str(ten.value) == f"there is no category 'qqqq'; known: {first}"
    with pytest.raises(NotFound) as empty:
        compared().category("math")
    assert str(empty.value) == "there is no category 'math': the comparison is empty"


def test_categories_of_texts_are_measured_and_reported() -> None:
    """The limit is the suite's as a whole."""
    results = [measured(20, 30), measured(20, 22)]
    results[0] = replace(results[0], case=replace(results[0].case, category="news"))
    policy = GatePolicy(rule="proven", max_increase=Fraction(1, 10))
    suite = Suite(Path("t.yaml"), "t", "text", tuple(each.case for each in results), gate=policy, nodeid="t.yaml")
    news, other = Judge().suite(suite, results).categories
    assert news.threshold == other.threshold == Threshold(Fraction(1, 10), measures=True, rule="proven")
    assert news.drift is not None
    assert news.drift.increase == 0.5
    assert (news.ruling.verdict, other.ruling.verdict) == ("reported", "reported")


def sampled(share: Fraction, samples: int = 2) -> CaseResult:
    """A case that was always right, and is in this share of its samples."""
    prompt = replace(PROMPT, samples=samples, temperature=1.0)
    had, has = replace(RIGHT, right_share=Fraction(1)), replace(RIGHT, right_share=share)
    return CaseResult(replace(retained().case, prompt=prompt), "q", had, has)


def test_differences_are_gathered_by_cluster() -> None:
    """Cases without one stand by themselves; what was not answered stands nowhere."""
    silent = replace(retained(), model=Graded("", "unanswered", False))
    lost, kept = clustered(2, 1, "a")
    alone, other = forgotten("Rome"), retained()
    assert by_cluster([lost, alone, kept, other, silent]) == [[1, 0], [1], [0]]
    assert by_cluster([sampled(Fraction(1, 2)), sampled(Fraction(1))]) == [[Fraction(1, 2)], [0]]
    assert by_cluster([alone, other]) is None
    assert by_cluster([*clustered(1, 1, "a"), *clustered(1, 0, "b"), other]) is None


def test_a_measured_scope_has_its_name() -> None:
    """And nothing to say where it is only reported."""
    suite = Suite(Path("t.yaml"), "Texts", "text", (), nodeid="t.yaml")
    overall = Judge().suite(suite, [measured(20, 30)]).overall
    assert (overall.name, overall.ruling, overall.evidence) == ("Texts", Ruling("reported", ""), None)
    assert overall.drift is not None
    assert Judge(0.9).suite(suite, [measured(20, 30)]).overall.drift == replace(overall.drift, confidence=0.9)


def test_each_kind_and_role_has_its_own_threshold() -> None:
    """A text's increase, a target's gain, and else the drop and the retention."""
    policy = GatePolicy(Fraction(1, 20), {}, None, "proven", Fraction(1, 50), Fraction(9, 10), Fraction(1, 5))
    suite = Suite(Path("s.yaml"), "s", "qa", (), gate=policy)
    drop = Fraction(1, 20)
    assert overall_threshold(suite) == Threshold(drop, min_retention=Fraction(9, 10), rule="proven")
    assert overall_threshold(replace(suite, role="target")) == Threshold(drop, min_gain=Fraction(1, 50), rule="proven")
    assert overall_threshold(replace(suite, kind="text")) == Threshold(
        drop, max_increase=Fraction(1, 5), measures=True, rule="proven"
    )


def test_an_inert_adapter_is_told_at_the_gate() -> None:
    """And a category that is only reported says nothing."""
    results = [*lost_of("math", 2, 10), *lost_of("geography", 1, 10)]
    suite = Suite(Path("s.yaml"), "s", "qa", tuple(each.case for each in results), nodeid="s.yaml")
    found = Judge(adapter_inert=True).suite(suite, results)
    assert found.overall.ruling.because == "the adapter changes nothing: the baseline was compared with itself"
    assert [scope.ruling for scope in found.categories] == [Ruling("reported", "")] * 2
