"""The gate from Python: the same verdicts as from the command line, without pytest."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from pytest_forgetting import Forgotten, assert_retained, compare, load_suite
from pytest_forgetting.comparison.comparison import Comparison
from pytest_forgetting.errors import WrongUsage
from tests.recordings import CAPITALS, record, record_all, scored, write_capitals


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """Five questions, of which one in five may be lost."""
    return write_capitals(tmp_path)


def compared(suite: Path, *wrong: str, knew: tuple[str, ...] = tuple(CAPITALS), **options: Any) -> Comparison:
    """Two recordings, the first with `wrong` answers."""
    old = record(suite.with_name("old.json"), suite, {c: CAPITALS[c] if c in knew else "Atlantis" for c in CAPITALS})
    new = record(suite.with_name("new.json"), suite, {**CAPITALS, **dict.fromkeys(wrong, "Atlantis")})
    return compare(model=new, baseline=old, suites=suite, **options)


def test_a_comparison_has_every_case(suite: Path) -> None:
    """With its outcome, and the decision of the gate."""
    result = compared(suite, "Peru", "Spain")
    assert [case.outcome for case in result.results].count("forgotten") == 2
    assert result.decision == "fail"


def test_what_is_lost_is_told(suite: Path) -> None:
    """The assertion's message has the table, the cases and the counts."""
    with pytest.raises(AssertionError) as caught:
        assert_retained(compared(suite, "Peru", "Spain"))
    told = str(caught.value)
    assert "> 20 pts" in told
    assert 'wanted Lima · had "Lima" · now "Atlantis"' in told
    assert told.endswith("3 retained, 2 forgotten, 0 learned, 0 unknown")


def test_a_drop_equal_to_the_threshold_passes(suite: Path) -> None:
    """As in the gate."""
    assert_retained(compared(suite, "Peru"))


@pytest.mark.parametrize("strict", [0.1, "10%", "1/10"])
def test_a_threshold_of_ones_own_counts(suite: Path, strict: float | str) -> None:
    """Given to either of the two, in any spelling of the gate's."""
    assert_retained(compared(suite, "Peru", "Spain"), max_drop=0.4)
    assert_retained(compared(suite, "Peru", "Spain", max_drop=0.4))
    with pytest.raises(AssertionError, match="> 10 pts"):
        assert_retained(compared(suite, "Peru"), max_drop=strict)


def test_what_could_not_show_a_loss_fails(suite: Path) -> None:
    """A baseline that knows nothing cannot forget."""
    with pytest.raises(AssertionError, match="the baseline does not know this: nothing to forget"):
        assert_retained(compared(suite, knew=()))


def test_all_suites_of_a_folder_are_asked(suite: Path) -> None:
    """And of several paths."""
    old, new = (record(suite.with_name(f"{name}.json"), suite, CAPITALS) for name in ("old", "new"))
    given: tuple[Any, ...] = (suite.parent, [suite], str(suite))
    for suites in given:
        result = compare(model=new, baseline=old, suites=suites)
        assert len(result.results) == len(CAPITALS)


def test_no_answers_are_kept_on_request(suite: Path) -> None:
    """The temporary store is gone afterwards."""
    assert compared(suite, no_store=True).decision == "pass"


def test_what_an_undecided_gate_does_is_as_asked(suite: Path) -> None:
    """`inconclusive` counts as on the command line, at the floor too."""
    assert_retained(compared(suite, knew=(), inconclusive="pass"))
    with pytest.raises(AssertionError, match="nothing to forget"):
        assert_retained(compared(suite, knew=(), inconclusive="fail"))


def test_a_critical_case_fails_by_itself(suite: Path) -> None:
    """However much the gate allows."""
    rows = [
        f"  - {{id: {c}, test: {c}, prompt: Where is {c}?, severity: critical, checks: [{{contains: {a}}}]}}"
        for c, a in CAPITALS.items()
    ]
    suite.write_text("\n".join(["forgetting: checklist", "gate: {max_drop: 0.9}", "cases:", *rows, ""]))
    with pytest.raises(AssertionError, match="1 forgotten"):
        assert_retained(compared(suite, "Peru"))


def test_the_confidence_of_the_comparison_counts_on(suite: Path) -> None:
    """A threshold of one's own is judged with the intervals that were asked for."""
    wide, narrow = (compared(suite, "Peru", "Spain", confidence=confidence) for confidence in (0.99, 0.6))
    told = []
    for result in (wide, narrow):
        with pytest.raises(AssertionError) as caught:
            assert_retained(result, max_drop=0.1)
        told.append(next(line for line in str(caught.value).splitlines() if line.startswith("Capitals  ")))
    assert told[0].split("FAIL")[0] != told[1].split("FAIL")[0]


def test_a_suite_named_twice_is_asked_once(suite: Path) -> None:
    """Under whichever names; and hidden folders are left alone, as by pytest."""
    ref = record(suite.with_name("old.json"), suite, CAPITALS)
    hidden = suite.parent / ".venv"
    hidden.mkdir()
    (hidden / "capitals.yaml").write_text(suite.read_text())
    result = compare(model=ref, baseline=ref, suites=[suite, str(suite), suite.parent])
    assert len(result.results) == len(CAPITALS)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"max_drop": 2}, "max_drop 2; wanted a share from 0 to 1, such as 0.1, '10%' or '1/10'"),
        ({"max_drop": "much"}, "max_drop 'much'; wanted a share from 0 to 1"),
        ({"max_drop": "1/0"}, "max_drop '1/0'; wanted a share from 0 to 1"),
        ({"inconclusive": "fial"}, "--forgetting-inconclusive: found 'fial', wanted one of warn, fail, pass"),
        ({"limit": -1}, "--forgetting-limit: found '-1', wanted a whole number above 0"),
        ({"batch_size": 0}, "--batch-size: found '0', wanted a whole number above 0"),
        ({"confidence": 95}, "--forgetting-confidence: found '95', wanted a number between 0.5 and 1"),
        ({"dtype": "foo"}, "--forgetting-dtype: found 'foo', wanted one of auto"),
        ({"chat_template": "nowhere.jinja"}, "--chat-template: found 'nowhere.jinja'"),
        ({"model": None}, "compare: no model given"),
        ({"suites": ""}, "compare: no suites given"),
        ({"bach_size": 2}, "compare: there is no option bach_size; there are allow_pickle"),
        ({"suites": []}, "compare: no suites given"),
        ({"suites": "nowhere"}, "nowhere: there is no such file or folder"),
        ({"baseline": None}, "is no adapter: name the model it was tuned from"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_told(suite: Path, options: dict[str, Any], told: str) -> None:
    """In one sentence."""
    ref = record(suite.with_name("old.json"), suite, CAPITALS)
    with pytest.raises(WrongUsage) as caught:
        compare(**{"model": ref, "baseline": ref, "suites": suite, **options})
    assert told in str(caught.value)


def test_a_folder_without_suites_is_told(suite: Path) -> None:
    """Nothing asked is nothing shown."""
    ref = record(suite.with_name("old.json"), suite, CAPITALS)
    (suite.parent / "empty").mkdir()
    with pytest.raises(WrongUsage, match="empty: no suite in this folder"):
        compare(model=ref, baseline=ref, suites=suite.parent / "empty")


@pytest.mark.parametrize(("name", "begins"), [("r.html", "<!doctype html>"), ("r.json", "{"), ("r.md", "#")])
def test_a_comparison_writes_its_reports(suite: Path, name: str, begins: str) -> None:
    """The same as the command's, by suffix."""
    report = suite.parent / "reports" / name
    compared(suite, "Peru").write(report)
    assert report.read_text(encoding="utf-8").lower().startswith(begins)


def test_a_report_of_another_kind_is_refused(suite: Path) -> None:
    """With those there are."""
    with pytest.raises(
        WrongUsage, match=r"r.pdf: no report is of suffix '.pdf'; wanted one of .json, .jsonl, .html, .md"
    ):
        compared(suite, "Peru").write("r.pdf")


def test_the_first_line_is_the_decision(suite: Path) -> None:
    """With its figures and the names of what was forgotten; the error carries the comparison."""
    with pytest.raises(Forgotten) as caught:
        assert_retained(compared(suite, "Peru", "Spain"), max_drop=0.05)
    told = str(caught.value).splitlines()
    assert told[0] == "Capitals: accuracy dropped 40.0 points (allowed 5); 2 forgotten: Spain, Peru"
    assert caught.value.comparison.forgotten == 2
    assert caught.value.comparison.decision == "fail"
    assert f"{type(caught.value).__module__}.{type(caught.value).__name__}" == "pytest_forgetting.Forgotten"


def test_every_reason_is_in_the_first_line(suite: Path) -> None:
    """A gate and its categories, each with its own figures."""
    rows = [
        f"  - {{id: {c}, question: Capital of {c}?, answer: {a}, category: {'south' if c == 'Peru' else 'north'}}}"
        for c, a in CAPITALS.items()
    ]
    head = "forgetting: qa\nname: Capitals\ngate: {max_drop: 0.1, category_max_drop: 0}\ncases:"
    suite.write_text("\n".join([head, *rows, ""]))
    with pytest.raises(Forgotten) as caught:
        assert_retained(compared(suite, "Peru"))
    assert str(caught.value).splitlines()[0] == (
        "Capitals: accuracy dropped 20.0 points (allowed 10); 1 forgotten: Peru;"
        " Capitals, south: accuracy dropped 100.0 points (allowed 0); 1 forgotten: Peru"
    )


def test_a_case_that_fails_by_itself_is_a_reason(suite: Path) -> None:
    """Where no gate fails."""
    rows = [
        f"  - {{id: {c}, test: {c}, prompt: Where is {c}?, severity: critical, checks: [{{contains: {a}}}]}}"
        for c, a in CAPITALS.items()
    ]
    suite.write_text("\n".join(["forgetting: checklist", "name: List", "gate: {max_drop: 0.9}", "cases:", *rows, ""]))
    with pytest.raises(Forgotten, match=r"\AList: 1 failed by themselves: Peru\n"):
        assert_retained(compared(suite, "Peru"))


def test_several_suites_of_one_file_are_all_asked(suite: Path) -> None:
    """Such as its two halves, or one under two gates; what asks the same under the same gate is asked once."""
    whole = load_suite(suite)
    halves = [replace(whole, cases=whole.cases[:2]), replace(whole, cases=whole.cases[2:])]
    strict = replace(whole, gate=replace(whole.gate, max_drop=Fraction(0)))
    ref = record(suite.with_name("old.json"), suite, CAPITALS)
    assert [case.case.id for case in compare(model=ref, baseline=ref, suites=halves)] == list(CAPITALS)
    result = compare(model=ref, baseline=ref, suites=[whole, strict, whole, suite, replace(whole)])
    assert [each.overall.threshold.max_drop for each in result.suites] == [Fraction(1, 5), 0]


def test_without_a_gate_nothing_is_decided(suite: Path) -> None:
    """Texts that are only measured pass nothing and fail nothing."""
    suite.write_text("forgetting: text\ncases: [{id: a, text: Rome is in Italy.}]\n")
    ref = record_all(suite.with_name("old.json"), suite, {"a": scored(-2.0)})
    result = compare(model=ref, baseline=ref, suites=suite)
    assert result.decision == "inconclusive"
    assert not result.fails_build
    assert_retained(result)


def test_what_is_no_json_is_no_argument_of_a_template(suite: Path) -> None:
    """A dictionary that cannot be written as JSON is refused as one on the command line is."""
    ref = record(suite.with_name("old.json"), suite, CAPITALS)
    for given in ({"tags": {1, 2}}, {"self": ...}):
        with pytest.raises(WrongUsage, match=r"--chat-template-kwargs: found .*, wanted a JSON object"):
            compare(model=ref, baseline=ref, suites=suite, chat_template_kwargs=given)


@pytest.mark.parametrize("result", [None, True, "pass"])
def test_only_a_comparison_is_judged(result: Any) -> None:
    """Anything else is a mistake of the test's author."""
    with pytest.raises(WrongUsage, match=r"assert_retained: found .*; wanted a Comparison"):
        assert_retained(result)
