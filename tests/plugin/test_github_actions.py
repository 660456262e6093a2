"""A run in a workflow of GitHub Actions: the step's summary and annotations."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugin.conftest import Run
from tests.plugin.workflow import SILENT, commands
from tests.recordings import CAPITALS, SUITE, write_capitals

TWO_LOST = {"Spain": "Barcelona", "Peru": "Cusco"}
NOTHING = dict.fromkeys(CAPITALS, "no idea")
CHECKS = "forgetting: checklist\nname: 'Capitals, 100 %: all'\nseverity: critical\ngate: {max_drop: 0.9}\ncases:\n"


@pytest.fixture
def summary(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The summary of a step, in a workflow whose checkout is the folder above the project."""
    path = pytester.path / "step_summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    monkeypatch.setenv("GITHUB_WORKSPACE", str(pytester.path.parent))
    return path


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one", "xdist"])
def test_a_failing_gate_is_told_once_in_summary_and_annotation(
    pytester: pytest.Pytester, summary: Path, capitals: Run, workers: tuple[str, ...]
) -> None:
    """Behind what stands in the summary already; the annotation is at the line of `gate:`, seen from the checkout."""
    summary.write_text("# Theirs\n")
    assert capitals(*SILENT, *workers, wrong=TWO_LOST).ret == 1
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("# Theirs\n\n## Forgetting: FAIL\n")
    assert text.count("## Forgetting") == 1
    result = capitals(*SILENT, *workers, wrong=TWO_LOST)
    place = f"file={pytester.path.name}/capitals.yaml,line=3,title=Capitals%3A FAIL"
    (told,) = commands(result)
    assert told.startswith(f"::error {place}::FAIL > 20 pts, not proven")
    assert told.endswith("2 forgotten and 0 learned of 5, drop 40.0 pts")
    assert summary.read_text(encoding="utf-8").count("## Forgetting: FAIL") == 2


def test_a_critical_case_is_annotated_at_its_line(pytester: pytest.Pytester, summary: Path, capitals: Run) -> None:
    """Escaped: names hold commas, colons and per cents, answers hold lines that look like commands."""
    rows = [f"  - {{id: {c}, test: {c}, prompt: {c}?, checks: [contains: {a}]}}\n" for c, a in CAPITALS.items()]
    (pytester.path / "capitals.yaml").write_text(CHECKS + "".join(rows))
    result = capitals(*SILENT, wrong={"Peru": "5 %\n::error::\x1b[31mmine"})
    (told,) = commands(result)
    place = f"file={pytester.path.name}/capitals.yaml,line=10"
    title = "title=Capitals%2C 100 %25%3A all%3A critical case forgotten"
    assert told == (
        f'::error {place},{title}::Peru%0Acontains: "Lima" not found%0Ahad "Lima"%0Anow "5 %25 ::error:: [31mmine"'
    )


@pytest.mark.parametrize(
    "given", ["more/rows.jsonl", "{here}/more/rows.jsonl"], ids=["from the suite", "from the root"]
)
def test_a_case_of_a_source_is_annotated_in_the_source(
    pytester: pytest.Pytester, summary: Path, capitals: Run, given: str
) -> None:
    """Its own file and line, not the suite's, however it was given."""
    folder = pytester.mkdir("more")
    (folder / "rows.jsonl").write_text(
        '\n{"id": "Peru", "test": "Peru", "prompt": "?", "checks": [{"contains": "Lima"}]}\n'
    )
    (pytester.path / "capitals.yaml").write_text(
        CHECKS.replace("cases:", f"source: {given.format(here=pytester.path)}")
    )
    _gate, told = commands(capitals(*SILENT, wrong={"Peru": "Cusco"}))
    assert told.startswith(f"::error file={pytester.path.name}/more/rows.jsonl,line=2,title=")


def test_an_undecided_gate_is_a_warning_unless_it_fails_the_build(summary: Path, capitals: Run) -> None:
    """At the floor nothing could be lost: that fails the build, and is an error; tolerated, it is a warning."""
    told = "INCONCLUSIVE the baseline does not know this"
    (red,) = commands(capitals(*SILENT, wrong=NOTHING, had_wrong=NOTHING))
    assert red.startswith("::error ")
    green = capitals(*SILENT, "--forgetting-inconclusive=pass", wrong=NOTHING, had_wrong=NOTHING)
    (yellow,) = commands(green)
    assert green.ret == 0
    assert yellow.startswith("::warning ")
    assert told in red
    assert told in yellow


def test_no_more_annotations_than_github_shows(pytester: pytest.Pytester, summary: Path, capitals: Run) -> None:
    """Of twelve failures nine are told, and the tenth line counts the others."""
    categories = "".join(f"  - {{id: c{n}, question: Q{n}?, answer: yes-{n}, category: k{n}}}\n" for n in range(11))
    head = SUITE.replace("{max_drop: 0.2}", "{max_drop: 0.2, category_max_drop: 0.1}")
    (pytester.path / "capitals.yaml").write_text(head + categories)
    right = {f"c{n}": f"yes-{n}" for n in range(11)}
    found = commands(capitals(*SILENT, wrong=dict.fromkeys(right, "no"), had_wrong=right))
    assert len(found) == 10
    assert found[-1] == "::error title=Forgetting::3 more gates and cases: see the summary of this step"


def test_the_other_plugin_annotates_alone(summary: Path, capitals: Run) -> None:
    """Where pytest-github-actions-annotate-failures is loaded, each failure is told once: by it."""
    (told,) = commands(capitals(wrong=TWO_LOST))
    assert "title=Capitals%3A FAIL" not in told
    assert "capitals.yaml" in told
    assert "## Forgetting: FAIL" in summary.read_text(encoding="utf-8")


def test_a_suite_outside_of_the_checkout_has_no_place(
    summary: Path, capitals: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its annotation stands for the whole run: GitHub could not show the file."""
    monkeypatch.setenv("GITHUB_WORKSPACE", str(summary.parent / "elsewhere"))
    (told,) = commands(capitals(*SILENT, wrong=TWO_LOST))
    assert told.startswith("::error title=Capitals%3A FAIL::")


def test_a_summary_that_cannot_be_written_is_a_warning(
    summary: Path, capitals: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit code stays that of the gates."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary.parent))
    result = capitals(*SILENT)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["forgetting: warning: could not write the step's summary *: Is a directory"])


def test_a_summary_near_its_limit_is_left_as_it_is(summary: Path, capitals: Run) -> None:
    """GitHub would drop all of it, what others wrote too."""
    summary.write_bytes(b"x" * 899_990)
    result = capitals(*SILENT, wrong=TWO_LOST)
    assert summary.stat().st_size == 899_990
    result.stdout.fnmatch_lines(["forgetting: warning: nothing was added to the step's summary: * near GitHub's limit"])


def test_a_summary_with_little_room_has_the_decision(summary: Path, capitals: Run) -> None:
    """What has no room is left out, and said to be."""
    summary.write_bytes(b"x" * 899_000)
    capitals(*SILENT, wrong=TWO_LOST)
    text = summary.read_text()[899_000:]
    assert text == "\n## Forgetting: FAIL\n\nThe rest is left out: there is no room for it.\n"


def test_nothing_of_github_elsewhere(
    pytester: pytest.Pytester, summary: Path, capitals: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No summary and no commands outside of a workflow, nor for a session without a model."""
    monkeypatch.setenv("GITHUB_ACTIONS", "false")
    assert commands(capitals(*SILENT, wrong=TWO_LOST)) == []
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    write_capitals(pytester.path)
    assert commands(pytester.runpytest_subprocess(*SILENT)) == []
    assert not summary.exists()
