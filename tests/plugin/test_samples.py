"""Cases asked several times: counted in parts, drawn the same in every run."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make

from pytest_forgetting.answers.answer import Answer
from tests.plugin.real_runs import PAIR, run
from tests.recordings import record_all
from tests.reports import read_report
from tests.tiny_models import tiny_llama

SUITE = """\
forgetting: qa
name: Capitals
samples: 5
temperature: 0.7
gate: {max_drop: 0.25}
cases:
  - {id: France, question: Capital of France?, answer: Paris}
  - {id: Italy, question: Capital of Italy?, answer: Rome}
  - {id: Spain, question: Capital of Spain?, answer: Madrid}
"""
RIGHT = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid"}


def said(case: str, right: int, silent: int = 0) -> list[Answer]:
    """Five answers of which so many are right, and so many never came."""
    wrong = 5 - right - silent
    never = Answer("", "unanswered", reason="the prompt is too long")
    return [Answer(RIGHT[case], "eos")] * right + [Answer("Oslo", "eos")] * wrong + [never] * silent


def gate(pytester: pytest.Pytester, old: dict[str, Any], new: dict[str, Any], suite: str = SUITE) -> Any:
    """Compare two recordings; the numbers are right answers of five."""
    path = pytester.path / "c.yaml"
    path.write_text(suite)
    for name, right in (("old", old), ("new", new)):
        answers = {case: each if isinstance(each, list) else said(case, each) for case, each in right.items()}
        record_all(pytester.path / f"{name}.json", path, answers)
    args = ("--model", "new.json", "--baseline", "old.json", "c.yaml", "--forgetting-report", "r.json")
    result = pytester.runpytest_inprocess("-p", "no:randomly", *args)
    report = pytester.path / "r.json"
    return result, read_report(report) if report.exists() else {}


def test_cases_count_in_parts(pytester: pytest.Pytester) -> None:
    """4 → 1, 5 → 4 and 1 → 3 of 5: forgotten 0.6 + 0.2, learned 0.4, a drop of (0.8 − 0.4) / 3, exactly."""
    result, report = gate(pytester, {"France": 4, "Italy": 5, "Spain": 1}, {"France": 1, "Italy": 4, "Spain": 3})
    (suite,) = report["suites"]
    found = {name: suite[name] for name in ("retained", "forgotten", "learned", "unknown", "n")}
    assert found == pytest.approx({"retained": 1.2, "forgotten": 0.8, "learned": 0.4, "unknown": 0.6, "n": 3})
    exact = {name: Fraction(suite[name]).limit_denominator(1000) for name in ("forgotten", "learned", "accuracy_drop")}
    assert exact["forgotten"] - exact["learned"] == exact["accuracy_drop"] * suite["n"] == Fraction(2, 5)
    row = "Capitals*3*66.7 %*53.3 %*13.3 pts*0.8*0.4*PASS  ≤ 25 pts*"
    result.stdout.fnmatch_lines([row, "1 retained, 1 forgotten, 1 learned, 0 unknown"])


def test_whole_numbers_of_parts_are_shown_whole(pytester: pytest.Pytester) -> None:
    """Two losses of 0.4 and one of 0.2 are one case."""
    result, report = gate(pytester, dict.fromkeys(RIGHT, 5), {"France": 3, "Italy": 3, "Spain": 4})
    assert report["suites"][0]["forgotten"] == 1
    result.stdout.fnmatch_lines(["Capitals*100.0 %*66.7 %*33.3 pts*  1  *  0  *FAIL  > 25 pts*"])
    result.stdout.fnmatch_lines(["*1 forgotten and 0 learned of 3, drop 33.3 pts*"])


def test_a_drop_as_large_as_allowed_passes(pytester: pytest.Pytester) -> None:
    """Three fifths of three cases are a fifth, which `max_drop: 0.2` allows; a fifth more is beyond."""
    suite = SUITE.replace("0.25", "0.2")
    full = dict.fromkeys(RIGHT, 5)
    assert gate(pytester, full, {**full, "France": 2}, suite)[0].ret == 0
    assert gate(pytester, full, {**full, "France": 1}, suite)[0].ret == 1


def test_the_report_tells_shares_and_an_answer_that_decided(pytester: pytest.Pytester) -> None:
    """A right one of what was retained, a wrong one of what was forgotten, and how many are wrong."""
    _, report = gate(pytester, dict.fromkeys(RIGHT, 5), {"France": 2, "Italy": 4, "Spain": 5})
    france, italy, spain = report["cases"]
    assert [each["model"]["right_share"] for each in (france, italy, spain)] == [0.4, 0.8, 1.0]
    assert (france["outcome"], italy["outcome"]) == ("forgotten", "retained")
    assert (france["model"]["answer"], italy["model"]["answer"], spain["model"]["answer"]) == ("Oslo", "Rome", "Madrid")
    assert france["model"]["why"].startswith("3 of 5 samples wrong: ")


def test_answers_that_never_came_are_left_out_of_the_share(pytester: pytest.Pytester) -> None:
    """Of three answers two right are two thirds; a case without any is unanswered."""
    silent = {"France": said("France", 2, silent=2), "Italy": said("Italy", 0, silent=5), "Spain": 5}
    _, report = gate(pytester, dict.fromkeys(RIGHT, 5), silent)
    france, italy, _ = report["cases"]
    assert france["model"]["right_share"] == pytest.approx(2 / 3)
    assert italy["outcome"] == "unanswered"
    assert (report["suites"][0]["n"], report["suites"][0]["unanswered"]) == (2, 1)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("samples: 5", "samples: 4", "'France': 5 samples recorded, 4 asked"),
        (
            "temperature: 0.7",
            "temperature: 1",
            "'France': sample 0 at temperature 0.7 recorded, sample 0 at * 1 asked",
        ),
        ("samples: 5\ntemperature: 0.7", "samples: 1", "'France': 5 samples recorded, 1 asked"),
    ],
)
def test_recordings_of_other_samples_are_refused(pytester: pytest.Pytester, old: str, new: str, told: str) -> None:
    """Another number of them, or another temperature: the message shows both."""
    full = dict.fromkeys(RIGHT, 5)
    gate(pytester, full, full)
    (pytester.path / "c.yaml").write_text(SUITE.replace(old, new))
    result = pytester.runpytest_inprocess("--model", "new.json", "--baseline", "old.json", "c.yaml")
    assert result.ret == 4
    result.stdout.fnmatch_lines(["*old.json was not recorded from these cases:", f"  c.yaml:*: {told}"])


CASES = 4


@pytest.fixture
def models(pytester: pytest.Pytester) -> Path:
    """Two models, and a suite whose cases are right where an answer holds a letter."""
    tiny_llama(pytester.path / "base", seed=1)
    tiny_llama(pytester.path / "tuned", seed=2)
    rows = [{"prompt": f"number {n}", "answer": "[a-e]", "match": "regex"} for n in range(CASES)]
    head = "forgetting: qa\nmax_new_tokens: 4\nsamples: 6\ntemperature: 1.5\n"
    (pytester.path / "s.yaml").write_text(f"{head}cases: {json.dumps(rows)}\n")
    return pytester.path


def test_real_models_are_asked_each_sample(pytester: pytest.Pytester, models: Path) -> None:
    """Cases count, not samples; shares are of six; other batch sizes draw the same."""
    _, report = run(pytester, *PAIR, "--forgetting-no-store", "--batch-size=1")
    _, again = run(pytester, *PAIR, "--forgetting-no-store", "--batch-size=7")
    assert {**report, "timing": 0} == {**again, "timing": 0}
    assert (report["timing"]["model_computed"], report["suites"][0]["n"]) == (CASES, CASES)
    shares = [case[side]["right_share"] * 6 for case in report["cases"] for side in ("baseline", "model")]
    assert shares == pytest.approx([round(share) for share in shares])
    assert len({round(share) for share in shares}) > 1, "the suite tells answers apart"


def test_a_second_run_draws_from_the_store(pytester: pytest.Pytester, models: Path) -> None:
    """The same samples, computed by nobody; more samples compute those that are new."""
    _, first = run(pytester, *PAIR)
    _, second = run(pytester, *PAIR)
    assert (second["timing"]["model_computed"], second["timing"]["baseline_computed"]) == (0, 0)
    assert {**first, "timing": 0} == {**second, "timing": 0}
    text = (models / "s.yaml").read_text()
    (models / "s.yaml").write_text(text.replace("samples: 6", "samples: 7"))
    _, third = run(pytester, *PAIR)
    assert third["timing"]["model_computed"] == CASES


def test_recorded_samples_compare_as_the_models_did(pytester: pytest.Pytester, models: Path) -> None:
    """All draws of both sides are written and read back."""
    _, live = run(pytester, *PAIR, "--forgetting-record", "new.json")
    run(pytester, "--baseline=./base", "--forgetting-record", "old.json")
    lines = json.loads((models / "new.json").read_text())["answers"]
    assert [line["draw"]["number"] for line in lines] == list(range(6)) * CASES
    _, again = run(pytester, "--model=new.json", "--baseline=old.json")
    assert again["cases"] == live["cases"]
    assert again["suites"] == live["suites"]


def test_workers_report_the_same(pytester: pytest.Pytester, models: Path) -> None:
    """Under xdist the samples are drawn once in all workers together, and they are the same."""
    _, together = run(pytester, *PAIR, "-n", "2", "--forgetting-no-store")
    _, alone = run(pytester, *PAIR, "--forgetting-no-store")
    assert together["timing"]["model_computed"] == CASES
    assert {**together, "timing": 0} == {**alone, "timing": 0}


def test_a_model_against_its_copy_draws_the_same(pytester: pytest.Pytester, models: Path) -> None:
    """Both sides share their lots: equal models lose nothing by chance."""
    tiny_llama(models / "tuned", seed=1)
    _, report = run(pytester, *PAIR)
    assert (report["suites"][0]["forgotten"], report["suites"][0]["learned"]) == (0, 0)
    assert 0 < report["suites"][0]["retained"] < CASES
