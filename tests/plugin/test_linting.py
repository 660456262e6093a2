"""`pytest --forgetting-lint`, as a user would call it."""

from __future__ import annotations

import pytest

CLEAN = "forgetting: qa\ncases:\n  - {question: What is the capital of France?, answer: Paris}\n"


def lines(result: pytest.RunResult) -> list[str]:
    """What was printed."""
    return [line for line in result.outlines if line]


def test_nothing_odd(pytester: pytest.Pytester) -> None:
    """Exit code 0, and no word of pytest's own."""
    (pytester.mkdir("suites") / "a.yaml").write_text(CLEAN)
    result = pytester.runpytest_subprocess("--forgetting-lint", "suites")
    assert (result.ret, lines(result)) == (0, ["0 findings in suites; no training data named"])


def test_findings_fail(pytester: pytest.Pytester) -> None:
    """Exit code 1, as linters have it; training data may stand in the ini file, and conftests register checks."""
    (pytester.mkdir("suites") / "a.yaml").write_text(CLEAN)
    (pytester.path / "suites" / "b.yaml").write_text(
        "forgetting: checklist\ncases:\n  - {test: t, prompt: Say please to me., checks: [polite]}\n"
    )
    pytester.makeconftest(
        "import pytest_forgetting\n@pytest_forgetting.check('polite')\ndef polite(text):\n    return 'please' in text\n"
    )
    (pytester.path / "train.jsonl").write_text('{"text": "What is the capital of France? Paris."}\n')
    pytester.makeini("[pytest]\nforgetting_training_data = train.jsonl\n")
    result = pytester.runpytest_subprocess("--forgetting-lint", "suites")
    assert result.ret == 1
    assert lines(result) == [
        "suites/a.yaml:3: leak: the whole prompt stands in train.jsonl:1 with an accepted answer: what is the capital"
        " of france",
        "suites/b.yaml:3: echo: an answer that only repeats the question passes all checks",
        "2 findings in suites",
    ]


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (("bad.yaml",), 2, "ERROR: bad.yaml:1:1: the suite is empty; wanted cases, or a source with some"),
        (("none.yaml",), 4, "ERROR: none.yaml: there is no such file or folder"),
        (("a.yaml", "--forgetting-training-data=x.jsonl"), 4, "ERROR: training data x.jsonl: there is no such file*"),
    ],
)
def test_what_cannot_be_read(pytester: pytest.Pytester, args: tuple[str, ...], code: int, told: str) -> None:
    """One line, and the exit code that a run would have."""
    (pytester.path / "bad.yaml").write_text("forgetting: qa\n")
    (pytester.path / "a.yaml").write_text(CLEAN)
    result = pytester.runpytest_subprocess("--forgetting-lint", *args)
    assert result.ret == code
    result.stderr.fnmatch_lines([told])
