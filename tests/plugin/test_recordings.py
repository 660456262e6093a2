"""Recordings that do not fit are refused, telling what differs."""

import json

import pytest

from tests.plugin.conftest import Run
from tests.recordings import CAPITALS, record, write_capitals

ARGS = ("--model", "new.json", "--baseline", "old.json", "capitals.yaml")


@pytest.fixture
def recorded(pytester: pytest.Pytester) -> pytest.Pytester:
    """A suite with two recordings that fit."""
    suite = write_capitals(pytester.path)
    record(pytester.path / "old.json", suite, CAPITALS)
    record(pytester.path / "new.json", suite, CAPITALS)
    return pytester


def edit(recorded: pytest.Pytester, old: str, new: str) -> pytest.RunResult:
    """Change the suite after it was recorded, and run."""
    path = recorded.path / "capitals.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return recorded.runpytest_subprocess(*ARGS)


def test_a_case_without_recorded_answer_is_refused(recorded: pytest.Pytester) -> None:
    """A case added since is an error, not a smaller n."""
    result = edit(recorded, "cases:\n", "cases:\n  - {id: Chad, question: Capital of Chad?, answer: Ndjamena}\n")
    assert result.ret == 4
    result.stdout.fnmatch_lines(["*old.json: suite 'Capitals': 1 cases have no recorded answer: 'Chad'*"])


def test_a_recorded_answer_without_case_is_refused(recorded: pytest.Pytester) -> None:
    """A case removed since is an error as well: missing items are never joined away."""
    line = "  - {id: Peru, question: What is the capital of Peru?, answer: Lima}\n"
    result = edit(recorded, line, "")
    assert result.ret == 4
    result.stdout.fnmatch_lines(["*old.json: suite 'Capitals': 1 recorded answers belong to no case: 'Peru'*"])


def test_another_prompt_is_refused(recorded: pytest.Pytester) -> None:
    """The message shows both prompts."""
    result = edit(recorded, "capital of Peru", "capital city of Peru")
    assert result.ret == 4
    result.stdout.fnmatch_lines(["*'Peru' (prompt '*capital of Peru?*' recorded, '*capital city of Peru?*' asked)*"])


def test_other_decoding_limits_are_refused(recorded: pytest.Pytester) -> None:
    """An answer of 50 tokens says nothing about one of 5."""
    result = edit(recorded, "forgetting: qa\n", "forgetting: qa\nmax_new_tokens: 5\n")
    assert result.ret == 4
    result.stdout.fnmatch_lines(["*5 cases were asked otherwise: 'France' (max_new_tokens 50 recorded, 5 asked)*"])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "cannot be read as a recording"),
        ("[1]", "is no recording"),
        ('{"recording": 2}', "is no recording"),
        ('{"recording": 1}', "is a damaged recording: KeyError 'model'"),
    ],
)
def test_a_file_that_is_no_recording_is_named(recorded: pytest.Pytester, content: str, told: str) -> None:
    """One line says what is wrong with the file, and nothing is compared."""
    (recorded.path / "old.json").write_text(content)
    result = recorded.runpytest_subprocess(*ARGS)
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"ERROR: old.json: {told}*"])


def test_a_missing_recording_is_named(recorded: pytest.Pytester) -> None:
    """A recording that does not exist is wrong usage."""
    (recorded.path / "old.json").unlink()
    result = recorded.runpytest_subprocess(*ARGS)
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: old.json: no such recording"])


def test_a_recording_can_be_recorded_again(recorded: pytest.Pytester) -> None:
    """`--forgetting-record` writes the model's answers; reading them back compares equal, byte for byte."""
    args = ("--model", "new.json", "--baseline", "old.json", "capitals.yaml", "--forgetting-record")
    assert recorded.runpytest_subprocess(*args, "one.json").ret == 0
    assert recorded.runpytest_subprocess(*args, "two.json").ret == 0
    one, two = ((recorded.path / name).read_bytes() for name in ("one.json", "two.json"))
    assert one == two
    assert json.loads(one)["answers"] == json.loads((recorded.path / "new.json").read_text())["answers"]


def test_a_baseline_alone_is_recorded(recorded: pytest.Pytester) -> None:
    """With `--baseline` alone nothing is gated; every case says RECORDED."""
    result = recorded.runpytest_subprocess(
        "--baseline", "old.json", "--forgetting-record", "b.json", "capitals.yaml", "-v"
    )
    assert result.ret == 0
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["*::France RECORDED*", "forgetting: recorded 5 answers of old in *b.json"])


def test_a_skipped_case_needs_no_recorded_answer(capitals: Run, pytester: pytest.Pytester) -> None:
    """What is not asked is not missed."""
    path = write_capitals(pytester.path)
    path.write_text(path.read_text().replace("answer: Lima}", "answer: Lima, skip: disputed}"))
    result = capitals("-rs")
    assert result.ret == 0
    result.assert_outcomes(passed=5, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*disputed"])
