"""The rules `significant` and `proven` from the command line and from suites, on recordings."""

from collections.abc import Collection
from pathlib import Path

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make

from tests.plugin.conftest import Run
from tests.recordings import record
from tests.reports import read_report

CATEGORIES = ("birds", "trees", "rivers", "stones")
EACH = 30
RIGHT = {f"{category}{n}": "right" for category in CATEGORIES for n in range(EACH)}


def asked(folder: Path, lost: Collection[str], *, gate: str = "max_drop: 0.1", cluster: int | None = None) -> None:
    """Write a suite of four categories, and two recordings of which the second has lost some cases."""
    rows = [
        f"  - {{id: {case}, category: {case.rstrip('0123456789')}, question: what is {case}?, answer: right"
        + (f", cluster: c{n // cluster}}}" if cluster else "}")
        for n, case in enumerate(RIGHT)
    ]
    suite = folder / "nature.yaml"
    suite.write_text("\n".join(["forgetting: qa", f"gate: {{{gate}}}", "cases:", *rows, ""]))
    record(folder / "old.json", suite, RIGHT)
    record(folder / "new.json", suite, {**RIGHT, **dict.fromkeys(lost, "wrong")})


def gate(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    """The command."""
    sides = ("--model", "new.json", "--baseline", "old.json")
    run = pytester.runpytest_subprocess if "-n2" in options else pytester.runpytest_inprocess
    return run("-p", "no:randomly", *sides, "nature.yaml", *options)


def first(count: int, category: str = "birds") -> list[str]:
    """The first cases of a category."""
    return [f"{category}{n}" for n in range(count)]


@pytest.mark.parametrize(
    ("lost", "rule", "verdict", "code"),
    [
        (4, "significant", "PASS  ≤ 10 pts, proven", 0),
        (10, "significant", "INCONCLUSIVE  ≤ 10 pts, not proven: about * more cases would settle it", 1),
        (20, "significant", "FAIL  > 10 pts, proven", 1),
        (4, "proven", "PASS  ≤ 10 pts, proven", 0),
        (10, "proven", "FAIL  ≤ 10 pts, not proven: about * more cases would settle it", 1),
        (10, "threshold", "PASS  ≤ 10 pts, not proven: about * more cases would settle it", 0),
    ],
)
def test_a_rule_is_chosen_on_the_command_line(
    pytester: pytest.Pytester, lost: int, rule: str, verdict: str, code: int
) -> None:
    """It counts for every suite, and header and table say so."""
    asked(pytester.path, first(lost))
    result = gate(pytester, "--forgetting-rule", rule)
    assert result.ret == code
    result.stdout.fnmatch_lines([f"*new.json against old.json · rule {rule} for every suite", f"nature *{verdict}*"])


def test_a_suite_may_ask_for_a_rule(pytester: pytest.Pytester) -> None:
    """`rule:` stands beside the threshold; the command line goes before it."""
    asked(pytester.path, first(10), gate="max_drop: 0.1, rule: proven")
    assert gate(pytester, "--forgetting-report", "report.json").ret == 1
    suite = read_report(pytester.path / "report.json")["suites"][0]
    assert (suite["rule"], suite["verdict"]) == ("proven", "fail")
    assert gate(pytester, "--forgetting-rule", "threshold").ret == 0


def test_an_undecided_gate_leaves_the_build_alone_beside_a_decided_one(pytester: pytest.Pytester) -> None:
    """INCONCLUSIVE is told and skipped where another general gate could decide; `fail` makes it red."""
    asked(pytester.path, first(4), gate="max_drop: 0.1, category_max_drop: 0.1, rule: significant")
    assert gate(pytester).ret == 0
    result = gate(pytester, "--forgetting-inconclusive", "fail")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["  birds *INCONCLUSIVE  > 10 pts, which may be chance, not proven*"])


@pytest.mark.parametrize("options", [(), ("-n2",), ("-k", "birds and gate")], ids=["all", "-n2", "-k"])
def test_categories_are_a_family(pytester: pytest.Pytester, options: tuple[str, ...]) -> None:
    """Four lost of thirty are significant alone (0.03), and not as the worst of four; however they are selected."""
    asked(pytester.path, first(4), gate="max_drop: 0.1, category_max_drop: 0.1, rule: significant")
    result = gate(pytester, *options, "--forgetting-inconclusive", "pass")
    result.stdout.fnmatch_lines(["  birds *INCONCLUSIVE  > 10 pts, which may be chance*"])
    assert result.ret == 0
    asked(pytester.path, first(4), gate="max_drop: 0.1, category_max_drop: {birds: 0.1}, rule: significant")
    assert gate(pytester, *options, "--forgetting-inconclusive", "pass").ret == 1


def test_clusters_are_counted_as_clusters(pytester: pytest.Pytester) -> None:
    """Twenty cases lost in two clusters of ten prove nothing, which twenty by themselves do."""
    asked(pytester.path, first(20), cluster=10)
    result = gate(pytester, "--forgetting-rule", "significant", "--forgetting-inconclusive", "pass")
    result.stdout.fnmatch_lines(["nature *INCONCLUSIVE  > 10 pts, which may be chance, not proven*"])
    assert result.ret == 0


def test_suites_too_small_are_named(capitals: Run) -> None:
    """When they are collected, with the number that would do; not under `-q`."""
    named = "forgetting: capitals.yaml: 5 cases cannot prove a drop under 20 pts if nothing changes, 14 could"
    capitals().stdout.fnmatch_lines([named])
    capitals("--max-drop", "0").stdout.fnmatch_lines(
        ["forgetting: capitals.yaml: no number of cases can prove a drop of 0 pts; allow a little more"]
    )
    assert named not in capitals("-q").stdout.str()


@pytest.mark.parametrize("options", [("-n", "2"), ("-n", "2", "-v"), ("-n0",)])
def test_suites_too_small_are_named_once_where_workers_collect(capitals: Run, options: tuple[str, ...]) -> None:
    """Each worker collects the same, the controller nothing: it is told before the first result, and once."""
    named = "forgetting: capitals.yaml: 5 cases cannot prove a drop under 20 pts if nothing changes, 14 could"
    lines = capitals(*options).outlines
    assert lines.count(named) == 1
    first = next(n for n, line in enumerate(lines) if "France" in line or line.startswith((".", "capitals.yaml .")))
    assert lines.index(named) < first


def test_an_ungated_selection_names_no_suite_to_workers(capitals: Run) -> None:
    """As without workers: what has no gate in this run need not prove anything; nor is it told under `-q`."""
    assert "cannot prove" not in capitals("-n", "2", "-k", "France").stdout.str()
    assert "cannot prove" not in capitals("-n", "2", "-q").stdout.str()


def test_an_unknown_rule_is_told(pytester: pytest.Pytester) -> None:
    """On the command line and in a suite, with the rules that there are."""
    asked(pytester.path, ())
    assert gate(pytester, "--forgetting-rule", "sure").ret == 4
    suite = pytester.path / "nature.yaml"
    suite.write_text(suite.read_text().replace("max_drop: 0.1", "rule: sure"))
    result = gate(pytester)
    result.stdout.fnmatch_lines(["*nature.yaml:2:*gate.rule: wanted threshold, significant or proven (found 'sure')*"])
    assert result.ret == 2
