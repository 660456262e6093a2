"""Recordings that do not fit are refused, telling what differs."""

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
    """A case added since is an error, not a smaller n; the message says which, and how to record it."""
    result = edit(recorded, "cases:\n", "cases:\n  - {id: Chad, question: Capital of Chad?, answer: Ndjamena}\n")
    assert result.ret == 4
    result.stdout.fnmatch_lines(
        [
            "*forgetting: old.json was not recorded from these cases:",
            "  capitals.yaml:5: 'Chad' has no recorded answer",
            "to record what is asked now: pytest --baseline=old --forgetting-record=old.json capitals.yaml",
        ],
        consecutive=True,
    )


def test_a_recorded_answer_without_case_is_refused(recorded: pytest.Pytester) -> None:
    """A case removed since is an error as well: missing items are never joined away."""
    line = "  - {id: Peru, question: What is the capital of Peru?, answer: Lima}\n"
    result = edit(recorded, line, "")
    assert result.ret == 4
    result.stdout.fnmatch_lines(["  'Peru' of suite 'Capitals' is recorded, and is no case of it"])


def test_another_prompt_is_refused(recorded: pytest.Pytester) -> None:
    """The message shows the case's place and both prompts."""
    result = edit(recorded, "capital of Peru", "capital city of Peru")
    assert result.ret == 4
    told = "  capitals.yaml:9: 'Peru': prompt '*capital of Peru?*' recorded, '*capital city of Peru?*' asked"
    result.stdout.fnmatch_lines([told])


def test_of_long_prompts_the_place_is_shown_where_they_part(recorded: pytest.Pytester) -> None:
    """A template of many words is the same in both."""
    text = (recorded.path / "capitals.yaml").read_text()
    long = text.replace("forgetting: qa\n", f"forgetting: qa\ntemplate: '{'Think. ' * 200}Q: {{question}}'\n")
    suite = recorded.path / "capitals.yaml"
    suite.write_text(long)
    for name in ("old.json", "new.json"):
        record(recorded.path / name, suite, CAPITALS)
    result = edit(recorded, "capital of Peru", "capital city of Peru")
    result.stdout.fnmatch_lines(["  *'Peru': prompt …'*capital of Peru?' recorded, …'*capital city of Peru?' asked"])
    assert max(map(len, result.outlines)) < 500


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("max_new_tokens: 5", "max_new_tokens 50 recorded, 5 asked"),
        ("think_tokens: 5", "think_tokens 1024 recorded, 5 asked"),
        ('stop: ["."]', "stop ['\\n'] recorded, ['.'] asked"),
    ],
)
def test_other_decoding_is_refused(recorded: pytest.Pytester, key: str, told: str) -> None:
    """An answer of 50 tokens says nothing about one of 5. Five differences are named."""
    result = edit(recorded, "forgetting: qa\n", f"forgetting: qa\n{key}\n")
    assert result.ret == 4
    lines = [line for line in result.outlines if line.endswith(told)]
    assert [line.partition(": '")[0] for line in lines] == [f"  capitals.yaml:{n}" for n in range(6, 11)] * 2


def test_differences_beyond_a_few_are_counted(recorded: pytest.Pytester) -> None:
    """One removed case and five changed ones: the last one named is not all."""
    line = "  - {id: Peru, question: What is the capital of Peru?, answer: Lima}\n"
    more = "".join(line.replace("Peru", f"Peru{n}") for n in range(3))
    result = edit(recorded, line, more)
    result.stdout.fnmatch_lines(["  capitals.yaml:*: 'Peru2' has no recorded answer", "  'Peru' of suite 'Capitals' *"])
    result = edit(recorded, "forgetting: qa\n", "forgetting: qa\nmax_new_tokens: 5\n")
    result.stdout.fnmatch_lines(["  capitals.yaml:*: 'Peru0' has no recorded answer", "  … and 3 more"])


def test_under_workers_a_misfit_is_told_as_well(recorded: pytest.Pytester) -> None:
    """The message travels to the controller."""
    path = recorded.path / "capitals.yaml"
    path.write_text(path.read_text().replace("capital of Peru", "capital city of Peru"))
    result = recorded.runpytest_subprocess(*ARGS, "-n", "2")
    assert result.ret == 4
    result.stdout.fnmatch_lines(["  capitals.yaml:9: 'Peru': prompt *"])


def test_a_file_that_is_no_recording_is_named(recorded: pytest.Pytester) -> None:
    """One line says what is wrong with the file, and nothing is compared."""
    (recorded.path / "old.json").write_text("[1]")
    result = recorded.runpytest_subprocess(*ARGS)
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: old.json: is no recording: it has no 'recording: 2', as *"])


def test_a_missing_recording_is_named(recorded: pytest.Pytester) -> None:
    """A recording that does not exist is wrong usage."""
    (recorded.path / "old.json").unlink()
    result = recorded.runpytest_subprocess(*ARGS)
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: old.json: no such recording; did you mean 'new.json'?"])


def test_a_skipped_case_needs_no_recorded_answer(capitals: Run, pytester: pytest.Pytester) -> None:
    """What is not asked is not missed."""
    path = write_capitals(pytester.path)
    path.write_text(path.read_text().replace("answer: Lima}", "answer: Lima, skip: disputed}"))
    result = capitals("-rs")
    assert result.ret == 0
    result.assert_outcomes(passed=5, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*disputed"])
