"""The comments of the starter suites: what they offer can be used as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_forgetting.suites.checks import NAMES
from pytest_forgetting.suites.loading import load_suite
from pytest_forgetting.testing import lint

EXAMPLES = Path(__file__).parents[2] / "example_suites"
OFFERED = re.compile(r"^( *)# (?=(?: *- | *[a-z_]+:(?: |$)))")


def uncommented(name: str, marker: str) -> str:
    """The suite with every line behind `marker` that offers something."""
    head, mark, tail = (EXAMPLES / name).read_text(encoding="utf-8").partition(marker)
    assert mark
    lines = [OFFERED.sub(r"\1", line) for line in tail.splitlines() if "{dataset:" not in line]
    return head + mark + "\n".join(lines) + "\n"


def test_keys_that_general_qa_offers(tmp_path: Path) -> None:
    """All of them at once make a suite."""
    (tmp_path / "more_questions.jsonl").write_text('{"question": "a", "answer": "b"}\n')
    (tmp_path / "s.yaml").write_text(uncommented("general_qa.yaml", "# More that a case may say."))
    suite, plain = load_suite(tmp_path / "s.yaml"), load_suite(EXAMPLES / "general_qa.yaml")
    added = suite.cases[len(plain.cases) :]
    assert len(added) == 7
    assert [case.tags for case in added[:1]] == [("smoke",)]
    assert added[0].prompt.samples == 5
    assert added[0].prompt.chat_stop == ("\n\n",)
    assert len(added[0].prompt.messages) == 4


def test_checks_that_checklist_offers(tmp_path: Path) -> None:
    """Every kind of check is shown or named."""
    text = uncommented("checklist.yaml", "# Every check once")
    (tmp_path / "s.yaml").write_text(text)
    last = load_suite(tmp_path / "s.yaml").cases[-1]
    assert (last.title, last.require_pass, len(last.checks)) == ("All checks", True, 14)
    told = text.partition("# Every check once")[2]
    assert [name for name in NAMES if not re.search(rf"(?<![\w-])(?:not-)?{re.escape(name)}(?![\w-])", told)] == []


@pytest.mark.parametrize("name", ["general_qa.yaml", "checklist.yaml", "medication.yaml"])
def test_lines_are_short_enough_to_be_read(name: str) -> None:
    """Of comments: cases may be longer."""
    lines = (EXAMPLES / name).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.lstrip().startswith("#") and len(line) > 132] == []


def test_the_lint_finds_nothing_odd() -> None:
    """Who tries it tries it on these first."""
    assert lint(EXAMPLES) == []
