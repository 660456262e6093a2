"""JUnit files: what cases, gates and the run tell there, whatever models say."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make

from tests.plugin.conftest import Run
from tests.recordings import CAPITALS, SUITE
from tests.reports import read_report

TWO_LOST = {"Spain": "Barcelona", "Peru": "I cannot answer that."}
HOSTILE = "]]><b a='\"'>&amp;\x00\x1b[31m\ud800￾\r\n<!--"
CRITICAL = "forgetting: checklist\nname: Capitals\nseverity: critical\ngate: {max_drop: 0.9}\ncases:\n" + "".join(
    f"  - {{id: {c}, test: {c}, prompt: {c}?, checks: [contains: {a}]}}\n" for c, a in CAPITALS.items()
)


def properties(element: ElementTree.Element) -> dict[str, str]:
    """The properties that stand right below `element`, each of them once."""
    pairs = [(each.get("name", ""), each.get("value", "")) for each in element.findall("properties/property")]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def junit(pytester: pytest.Pytester) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Properties of the whole and of each test case, by its name."""
    suite = ElementTree.parse(pytester.path / "junit.xml").getroot()[0]
    return properties(suite), {case.get("name", ""): properties(case) for case in suite.iter("testcase")}


@pytest.mark.parametrize("family", ["xunit1", "xunit2", "legacy"])
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one", "xdist"])
def test_cases_gate_and_run_tell_what_they_found(
    pytester: pytest.Pytester, capitals: Run, workers: tuple[str, ...], family: str
) -> None:
    """In every family, with and without workers: outcomes and causes, counts and interval, decision and models."""
    options = ("--junitxml=junit.xml", "-o", f"junit_family={family}", "--forgetting-report=report.json")
    capitals(*options, *workers, wrong=TWO_LOST)
    run, cases = junit(pytester)
    assert run == {
        "forgetting_decision": "fail",
        "forgetting_model": "new",
        "forgetting_model_fingerprint": "new",
        "forgetting_baseline": "old",
        "forgetting_baseline_fingerprint": "old",
    }
    assert cases["France"] == {"forgetting_outcome": "retained", "forgetting_category": "general"}
    assert cases["Peru"] == {
        "forgetting_outcome": "forgotten",
        "forgetting_category": "general",
        "forgetting_cause": "refusal",
    }
    reported = read_report(pytester.path / "report.json")["suites"][0]
    told = {name.removeprefix("forgetting_"): value for name, value in cases["gate"].items()}
    assert told == {name: str(reported[name]) for name in told}
    assert {"verdict", "n", "forgotten", "accuracy_drop", "ci_low", "ci_high", "p_value", "evidence"} <= set(told)


def test_a_checklist_case_tells_its_severity(pytester: pytest.Pytester, capitals: Run) -> None:
    """Severity, outcome and cause of a critical case, which fails by itself."""
    (pytester.path / "capitals.yaml").write_text(CRITICAL)
    capitals("--junitxml=junit.xml", wrong={"Peru": "Cusco."})
    assert junit(pytester)[1]["Peru"] == {
        "forgetting_outcome": "forgotten",
        "forgetting_category": "general",
        "forgetting_severity": "critical",
        "forgetting_cause": "knowledge",
    }


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one", "xdist"])
@pytest.mark.parametrize("head", [SUITE, CRITICAL], ids=["qa", "critical"])
def test_hostile_answers_leave_the_file_well_formed(
    pytester: pytest.Pytester, capitals: Run, head: str, workers: tuple[str, ...]
) -> None:
    """Markup, control characters and lone surrogates in answers, tolerated or told as failures."""
    if head == CRITICAL:
        (pytester.path / "capitals.yaml").write_text(CRITICAL)
    result = capitals("--junitxml=junit.xml", *workers, wrong=dict.fromkeys(CAPITALS, HOSTILE))
    assert result.ret == 1
    outcomes = [case["forgetting_outcome"] for name, case in junit(pytester)[1].items() if name != "gate"]
    assert outcomes == ["forgotten"] * 5


def test_a_recording_run_tells_no_causes(pytester: pytest.Pytester, capitals: Run) -> None:
    """Where only one model is asked there is nothing to compare: no decision, no gate."""
    capitals()
    args = ("--baseline=old.json", "--forgetting-record=again.json", "capitals.yaml", "--junitxml=junit.xml")
    assert pytester.runpytest_subprocess(*args, "-p", "no:randomly").ret == 0
    run, cases = junit(pytester)
    assert run == {}
    assert cases["Peru"] == {"forgetting_outcome": "recorded", "forgetting_category": "general"}


def test_without_a_junit_file_nothing_is_told(capitals: Run) -> None:
    """The run ends as ever where junitxml is not asked for, or not even loaded."""
    assert capitals("-p", "no:junitxml").ret == 0
