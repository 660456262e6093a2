"""Where reports are written: never over what a run needs, and never at the cost of another file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make

from tests.plugin.conftest import Run
from tests.recordings import CAPITALS, record, write_capitals
from tests.reports import read_report
from tests.tiny_models import tiny_llama


def refused(result: pytest.RunResult, told: str) -> None:
    """The command is refused with `told`, without a traceback."""
    assert result.ret == 4
    lines = [*result.outlines, *result.errlines]
    assert any(told in line for line in lines), lines
    assert not any("Traceback" in line for line in lines)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (".html", "--forgetting-report: found '.html', wanted a name that ends in .json or .jsonl or .html or .md"),
        ("a.HTML", "--forgetting-report: found 'a.HTML', wanted a name that ends in"),
        ("folder.html", "folder.html: cannot be written: it is a folder"),
        ("capitals.yaml/a.html", "a.html: cannot be written: "),
        ("/proc/none/a.html", "a.html: cannot be written: /proc: "),
        ("old.json", "old.json: is the recording of --baseline; name another file"),
        ("./new.json", "new.json: is the recording of --model; name another file"),
    ],
)
def test_a_place_where_no_report_can_be_is_refused_at_once(
    pytester: pytest.Pytester, capitals: Run, path: str, told: str
) -> None:
    """Before anything is asked, and the file that is there stays."""
    (pytester.path / "folder.html").mkdir()
    result = capitals("--forgetting-report", path)
    refused(result, told)
    assert "answers" in (pytester.path / "old.json").read_text()
    assert not list(pytester.path.glob(".*.html*"))


def test_a_recording_and_a_report_are_two_files(pytester: pytest.Pytester, capitals: Run) -> None:
    """One would take the place of the other."""
    result = capitals("--forgetting-report=both.json", "--forgetting-record=both.json")
    refused(result, "both.json: is the recording of --forgetting-record; name another file")
    assert not (pytester.path / "both.json").exists()


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
@pytest.mark.parametrize("path", ["own.jsonl", "rows.jsonl"])
def test_no_report_takes_the_place_of_cases(pytester: pytest.Pytester, path: str, workers: tuple[str, ...]) -> None:
    """Neither of a suite that is named, nor of a file that a suite reads its cases from."""
    row = json.dumps({"id": "fr", "question": "What is the capital of France?", "answer": "Paris"}) + "\n"
    (pytester.path / "own.jsonl").write_text(row)
    (pytester.path / "rows.jsonl").write_text(row)
    suite = pytester.path / "sourced.yaml"
    suite.write_text("forgetting: qa\nsource: rows.jsonl\n")
    asked = suite if path == "rows.jsonl" else pytester.path / path
    ref = record(pytester.path / "old.json", asked, {"fr": "Paris"})
    sides = (f"--model={ref}", f"--baseline={ref}")
    result = pytester.runpytest_subprocess(*sides, asked.name, f"--forgetting-report={path}", *workers)
    assert result.ret == 4
    result.stdout.fnmatch_lines([f"*--forgetting-report *{path}: holds cases of this run; name another file*"])
    assert (pytester.path / path).read_text() == row


def test_a_report_that_fails_costs_no_other_file(pytester: pytest.Pytester, capitals: Run) -> None:
    """What can be written is: here a test makes a folder of the first report's name while the run goes on."""
    (pytester.path / "test_late.py").write_text("import os\ndef test_late(): os.mkdir('a.html')\n")
    wanted = [f"--forgetting-report={name}" for name in ("a.html", "b.json", "b.json")]
    result = capitals(*wanted, "--forgetting-record=c.json", suites=("capitals.yaml", "test_late.py"))
    assert result.ret == 3
    result.stdout.fnmatch_lines(["forgetting: could not write *a.html: Is a directory"])
    told = [line for line in result.outlines if line.startswith("report: ")]
    assert told == [f"report: {pytester.path / 'b.json'}"]
    assert json.loads((pytester.path / "b.json").read_text())["decision"] == "pass"
    assert json.loads((pytester.path / "c.json").read_text())["recording"] == 2


def test_recording_alone_says_that_it_reports_nothing(pytester: pytest.Pytester) -> None:
    """A report that was asked for is not left out in silence."""
    suite = write_capitals(pytester.path)
    old = record(pytester.path / "old.json", suite, CAPITALS)
    wanted = ("--forgetting-record=again.json", "--forgetting-report=a.html")
    result = pytester.runpytest_subprocess(f"--baseline={old}", suite.name, *wanted)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["forgetting: no report: where only a baseline is recorded nothing is compared"])
    assert not (pytester.path / "a.html").exists()


def test_a_run_that_cannot_start_leaves_no_folder(
    pytester: pytest.Pytester, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where answers are kept for this run only."""
    write_capitals(pytester.path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    result = pytester.runpytest_subprocess("--model=nowhere", "--baseline=base", "--forgetting-no-store")
    assert result.ret == 4
    assert list(tmp_path.glob("pytest-forgetting-*")) == []


def test_a_run_that_ends_early_has_not_passed(pytester: pytest.Pytester) -> None:
    """Reports are written of what is there, and say what is not: here a test of one's own ends the run."""
    tiny_llama(pytester.path / "model", seed=1)
    write_capitals(pytester.path)
    (pytester.path / "test_first.py").write_text("def test_first():\n    assert False\n")
    wanted = ("-x", "--forgetting-report=r.json", "--forgetting-report=r.html", "--forgetting-no-store", "--device=cpu")
    sides = ("--model=./model", "--baseline=./model", "-p", "no:randomly")
    result = pytester.runpytest_inprocess(*sides, "test_first.py", "capitals.yaml", *wanted)
    assert result.ret == 1
    told = read_report(pytester.path / "r.json")
    assert told["decision"] == "inconclusive"
    assert [each["detail"] for each in told["audit"] if each["finding"] == "unfinished"] == [
        "the run ended before all answers were there, so that no gate was judged of: Capitals"
    ]


@pytest.mark.parametrize(
    ("folder", "told"),
    [
        ("capitals.yaml", "capitals.yaml: cannot be made: File exists"),
        ("/proc/none", "--forgetting-store /proc/none: cannot be made: No such file or directory"),
    ],
)
@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_a_store_that_cannot_be_is_refused(capitals: Run, folder: str, told: str, workers: tuple[str, ...]) -> None:
    """In one line."""
    refused(capitals("--forgetting-store", folder, *workers), told)


INTERRUPTS = """
import os, signal
moved = os.replace

def interrupted(*names):
    signal.raise_signal(signal.SIGINT)
    moved(*names)

os.replace = interrupted
"""


def test_ctrl_c_while_reports_are_written(pytester: pytest.Pytester, capitals: Run) -> None:
    """pytest's exit code, no traceback, an older report whole, and what was found out is shown all the same."""
    (pytester.path / "report.json").write_text("older")
    pytester.makeconftest(INTERRUPTS)
    result = capitals("--forgetting-report=report.json", "--forgetting-report=report.md", "-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["forgetting: interrupted before all of its files were written", "5 retained*"])
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    assert (pytester.path / "report.json").read_text() == "older"
    assert not [path for path in pytester.path.iterdir() if ".report." in path.name]
