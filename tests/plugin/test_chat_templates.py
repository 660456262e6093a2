"""Through which template each side is asked, told by templates that refuse every prompt with a word of their own."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.reports import read_report
from tests.tiny_models import tiny_llama, tiny_tokenizer

SUITE = "forgetting: qa\nmax_new_tokens: 4\ncases:\n  - {question: Who?, answer: '.', match: regex}\n"


def refusing(word: str) -> str:
    """A chat template that says who it is."""
    return f"{{{{ raise_exception({word}) }}}}"


def model(folder: Path, template: str | None, seed: int) -> None:
    """A tiny model with a chat template, or without one."""
    tiny_llama(folder, seed=seed, tokenizer=tiny_tokenizer(**({} if template is None else {"chat_template": template})))


@pytest.fixture
def two(pytester: pytest.Pytester) -> pytest.Pytester:
    """./base and ./tuned, each with a template of its own, and a suite of one question."""
    model(pytester.path / "base", refusing("'of the base'"), seed=1)
    model(pytester.path / "tuned", refusing("'of the tuned'"), seed=2)
    (pytester.path / "s.yaml").write_text(SUITE)
    return pytester


def run(pytester: pytest.Pytester, *options: str) -> tuple[pytest.RunResult, dict[str, Any]]:
    """Run the gate on both; its report where one was written."""
    report = pytester.path / "report.json"
    report.unlink(missing_ok=True)
    fixed = ("--model=./tuned", "--baseline=./base", "s.yaml", "--forgetting-no-store", "--forgetting-report", report)
    result = pytester.runpytest_inprocess(*fixed, "--device=cpu", *options)
    return result, read_report(report) if report.exists() else {}


def said(report: dict[str, Any]) -> tuple[str, str]:
    """Why baseline and model gave no answer; empty where they did."""
    (case,) = report["cases"]
    why = [case[side]["why"] if case[side]["finish"] == "unanswered" else "" for side in ("baseline", "model")]
    return why[0].rpartition(": ")[2], why[1].rpartition(": ")[2]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ((), ("of the base", "of the tuned")),
        (("--chat-template=own",), ("of the base", "of the tuned")),
        (("--chat-template=baseline",), ("of the base", "of the base")),
        (("--chat-template=model",), ("of the tuned", "of the tuned")),
        (("--chat-template=none",), ("", "")),
        (("--chat-template=other.jinja",), ("of the file", "of the file")),
    ],
)
def test_the_template_asked_for_is_used(
    two: pytest.Pytester, options: tuple[str, ...], wanted: tuple[str, str]
) -> None:
    """Each side's own, one for both, plain text, or a file."""
    (two.path / "other.jinja").write_text(refusing("'of the file'"))
    assert said(run(two, *options)[1]) == wanted


def test_different_templates_are_told(two: pytest.Pytester) -> None:
    """The report says that the two were not asked alike."""
    _, report = run(two)
    assert [finding["detail"] for finding in report["audit"] if finding["finding"] == "chat-template"] == [
        "the chat templates differ; each side is asked through its own"
    ]


def test_a_tuned_model_that_lost_its_template_gets_the_baselines(two: pytest.Pytester) -> None:
    """Training code often drops it; the model is not blamed for that, and the report says so."""
    model(two.path / "bare", None, seed=2)
    result, report = run(two, "--model=./bare")
    assert said(report) == ("of the base", "of the base")
    result.stdout.fnmatch_lines(["warning: the model has lost its chat template; it is asked through the baseline's*"])


def test_a_template_of_the_model_alone_is_told(two: pytest.Pytester) -> None:
    """A base model is asked in plain text, as it is meant to be, and the report says so."""
    model(two.path / "bare", None, seed=1)
    result, report = run(two, "--baseline=./bare")
    assert said(report) == ("", "of the tuned")
    result.stdout.fnmatch_lines(["warning: only the model has a chat template; the baseline is asked in plain text*"])


def test_arguments_reach_the_template(two: pytest.Pytester) -> None:
    """`--chat-template-kwargs` are the template's variables."""
    (two.path / "other.jinja").write_text(refusing("tone"))
    _, report = run(two, "--chat-template=other.jinja", '--chat-template-kwargs={"tone": "kind"}')
    assert said(report) == ("kind", "kind")


def test_the_date_is_pinned(two: pytest.Pytester) -> None:
    """A template that writes today's date would give another answer every day."""
    (two.path / "other.jinja").write_text(refusing("strftime_now('%Y-%m-%d')"))
    assert said(run(two, "--chat-template=other.jinja")[1]) == ("2025-01-01", "2025-01-01")


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--chat-template=model", "ERROR: --chat-template model: ./tuned has no chat template"),
        ("--chat-template=none.jinja", "ERROR: --chat-template: found 'none.jinja', wanted own, baseline, model, *"),
    ],
)
def test_a_template_asked_for_and_missing_is_wrong_usage(two: pytest.Pytester, option: str, told: str) -> None:
    """Nobody is asked through another one instead: exit 4."""
    shutil.rmtree(two.path / "tuned")
    model(two.path / "tuned", None, seed=2)
    result, _ = run(two, option)
    assert result.ret == 4
    result.stderr.fnmatch_lines([told])
