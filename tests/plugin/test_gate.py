"""The gate from the command line, on recordings."""

import pytest

from tests.plugin.conftest import Run
from tests.recordings import SUITE, record, write_capitals
from tests.reports import read_cases, read_report

TWO_LOST = {"Spain": "Barcelona", "Peru": "Cusco"}


def test_nothing_forgotten_is_green(capitals: Run) -> None:
    """Equal answers pass, and pytest counts cases and gate."""
    result = capitals()
    assert result.ret == 0
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["*Capitals*100.0 %*100.0 %*0.0 pts*PASS  ≤ 20 pts*", "5 retained, 0 forgotten, *"])


def test_a_drop_beyond_the_threshold_is_red(capitals: Run) -> None:
    """Two of five lost at max_drop 0.2: exit 1, and each loss is shown with both answers."""
    result = capitals(wrong=TWO_LOST)
    assert result.ret == 1
    result.assert_outcomes(passed=3, xfailed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*Capitals*40.0 pts*FAIL  > 20 pts*",
            "capitals.yaml:7*What is the capital of Spain?",
            '*wanted Madrid · had "Madrid" · now "Barcelona"   cause: knowledge',
            "causes: 2 knowledge",
            "3 retained, 2 forgotten, 0 learned, 0 unknown",
        ]
    )


def test_a_drop_equal_to_the_threshold_is_green(capitals: Run) -> None:
    """One of five lost at max_drop 0.2 passes; the case shows as xfailed, not as failed."""
    result = capitals(wrong={"Spain": "Barcelona"})
    assert result.ret == 0
    result.assert_outcomes(passed=5, xfailed=1)


def test_what_is_wrong_on_both_sides_is_unknown(capitals: Run) -> None:
    """The four outcomes have their letters and their `-v` words."""
    result = capitals("-v", wrong={"Spain": "Barcelona"}, had_wrong={"Italy": "Milan", "Peru": "Cusco"})
    result.stdout.fnmatch_lines(["*::France RETAINED*", "*::Italy LEARNED*", "*::Spain FORGOTTEN*"])
    unknown = capitals("-v", wrong={"Italy": "Milan"}, had_wrong={"Italy": "Milan"})
    unknown.stdout.fnmatch_lines(["*::Italy UNKNOWN*"])


@pytest.mark.parametrize(("given", "code"), [("0.4", 0), ("40%", 0), ("0.39", 1)])
def test_max_drop_overrides_the_suite(capitals: Run, given: str, code: int) -> None:
    """A threshold on the command line counts for every suite, and the header says so."""
    result = capitals("--max-drop", given, wrong=TWO_LOST)
    assert result.ret == code
    result.stdout.fnmatch_lines(["forgetting: new.json against old.json · max drop * pts for every suite"])


def test_a_base_that_knows_nothing_is_never_green(capitals: Run) -> None:
    """At the floor there is nothing to forget: INCONCLUSIVE, and exit 1."""
    nothing = dict.fromkeys(("France", "Italy", "Spain", "Japan", "Peru"), "no idea")
    result = capitals(wrong=nothing, had_wrong=nothing)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*INCONCLUSIVE  the baseline does not know this: nothing to forget*"])


def test_inconclusive_pass_lets_an_undecided_run_through(capitals: Run) -> None:
    """Who asks for it gets exit 0 although nothing was measured."""
    nothing = dict.fromkeys(("France", "Italy", "Spain", "Japan", "Peru"), "no idea")
    result = capitals("--forgetting-inconclusive", "pass", "-v", wrong=nothing, had_wrong=nothing)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["capitals.yaml::gate INCONCLUSIVE*"])


def test_unanswered_cases_are_skipped_with_their_reason(pytester: pytest.Pytester) -> None:
    """A case without an answer is outside n; one in five is too many for the gate."""
    suite = write_capitals(pytester.path)
    answers = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Japan": "Tokyo"}
    record(pytester.path / "old.json", suite, {**answers, "Peru": "Lima"})
    record(pytester.path / "new.json", suite, answers)
    result = pytester.runpytest_subprocess(
        "--model", "new.json", "--baseline", "old.json", str(suite), "-rs", "-v", "-p", "no:randomly"
    )
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["*::Peru UNANSWERED*", "UNANSWERED*model unanswered: the prompt is too long", "*1 of 5 cases unanswered*"]
    )


def test_the_same_model_twice_is_said_to_be_the_same(pytester: pytest.Pytester) -> None:
    """Equal fingerprints are named, and the comparison is green."""
    suite = write_capitals(pytester.path)
    answers = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Japan": "Tokyo", "Peru": "Lima"}
    record(pytester.path / "one.json", suite, answers)
    result = pytester.runpytest_subprocess("--model", "one.json", "--baseline", "one.json", str(suite))
    assert result.ret == 0
    result.stdout.fnmatch_lines(["info: both references are the same model (equal fingerprints)"])


@pytest.mark.parametrize("key", ["foregtting", "Forgetting"])
def test_a_misspelt_suite_is_no_green_run(pytester: pytest.Pytester, capitals: Run, key: str) -> None:
    """A folder with a suite whose first key is misspelt is not collected without a word about it."""
    pytester.makefile(".yaml", other=f"{key}: qa\ncases:\n  - {{question: a, answer: b}}\n")
    result = capitals(suites=(".",))
    assert result.ret != 0
    result.stdout.fnmatch_lines([f"*other.yaml:1:1: unknown key '{key}'; did you mean 'forgetting'[?]"])


def test_questions_in_a_folder_are_not_passed_over_in_silence(pytester: pytest.Pytester, capitals: Run) -> None:
    """They are no suite unless they are named, and a line says so; a suite's source needs none."""
    pytester.makefile(".jsonl", mine='{"question": "a", "answer": "b"}\n', more='{"question": "c", "answer": "d"}\n')
    pytester.makefile(".yaml", with_source="forgetting: qa\nsource: more.jsonl\n")
    told = capitals("--co", suites=(".",)).stdout
    told.fnmatch_lines(["forgetting: mine.jsonl is no suite by itself: name it on the command line, or as source: *"])
    told.no_fnmatch_line("*more.jsonl is no suite*")
    capitals("--co").stdout.no_fnmatch_line("*is no suite by itself*")  # that of a file named beside them


def test_category_gates_are_items_of_their_own(pytester: pytest.Pytester, capitals: Run) -> None:
    """A gated category has a gate below it, which fails by its own threshold."""
    (pytester.path / "capitals.yaml").write_text(
        SUITE.replace("{max_drop: 0.2}", "{max_drop: 0.5, category_max_drop: {south: 0}}")
        + "  - {id: France, question: Capital of France?, answer: Paris, category: north}\n"
        + "  - {id: Italy, question: Capital of Italy?, answer: Rome, category: south}\n"
        + "  - {id: Spain, question: Capital of Spain?, answer: Madrid, category: south}\n"
    )
    result = capitals("-v", wrong={"Spain": "Barcelona"})
    assert result.ret == 1
    result.stdout.fnmatch_lines(["capitals.yaml::south::gate FAILED*", "capitals.yaml::gate PASSED*"])


def test_an_ungated_category_that_lost_more_is_named(pytester: pytest.Pytester, capitals: Run) -> None:
    """A loss that hides in one category stands in the verdict line of a passing suite."""
    rows = [f"  - {{id: n{n}, question: Question {n}?, answer: yes-{n}, category: north}}\n" for n in range(8)]
    (pytester.path / "capitals.yaml").write_text(
        SUITE + "".join(rows) + "  - {id: Peru, question: Capital of Peru?, answer: Lima, category: south}\n"
    )
    answers = {f"n{n}": f"yes-{n}" for n in range(8)}
    result = capitals(wrong={**answers, "Peru": "Cusco"}, had_wrong=answers)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*PASS*not gated, yet lost more: south 100.0 pts"])


def test_the_json_report_holds_everything(pytester: pytest.Pytester, capitals: Run) -> None:
    """Counts, verdict and every case with both answers are in the report, and forgotten − learned = drop × n."""
    capitals("--forgetting-report", "out/report.json", wrong=TWO_LOST)
    report = read_report(pytester.path / "out/report.json")
    suite = report["suites"][0]
    assert (report["schema_version"], report["decision"]) == (1, "fail")
    assert (suite["n"], suite["forgotten"], suite["learned"], suite["verdict"]) == (5, 2, 0, "fail")
    assert suite["accuracy_drop"] == pytest.approx(0.4)
    spain = next(case for case in report["cases"] if case["id"] == "Spain")
    assert (spain["outcome"], spain["nodeid"]) == ("forgotten", "capitals.yaml::general::Spain")
    assert (spain["baseline"]["answer"], spain["model"]["answer"]) == ("Madrid", "Barcelona")


def test_equal_runs_write_equal_reports(pytester: pytest.Pytester, capitals: Run) -> None:
    """Outside `timing` two runs differ nowhere."""
    capitals("--forgetting-report", "one.json", wrong=TWO_LOST)
    capitals("--forgetting-report", "two.json", wrong=TWO_LOST)
    one, two = (read_report(pytester.path / name) for name in ("one.json", "two.json"))
    assert {**one, "timing": None} == {**two, "timing": None}


def test_the_jsonl_report_has_a_case_a_line(pytester: pytest.Pytester, capitals: Run) -> None:
    """Five cases, five lines."""
    capitals("--forgetting-report", "cases.jsonl")
    cases = read_cases(pytester.path / "cases.jsonl")
    assert [case["id"] for case in cases] == ["France", "Italy", "Spain", "Japan", "Peru"]
