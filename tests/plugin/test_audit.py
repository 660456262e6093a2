"""Faults planted in a tuned checkpoint, each named by the run that compares it with its base."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make

from tests.models.edits import edit_json
from tests.reports import read_report
from tests.tiny_models import BEGIN, tiny_adapter, tiny_llama, tiny_tokenizer

PLAIN = "forgetting: qa\nmax_new_tokens: 4\ncases:\n  - {prompt: 'number 1', answer: '.', match: regex}\n"
CHAT = "forgetting: qa\nmax_new_tokens: 4\ncases:\n  - {question: Who?, answer: '.', match: regex}\n"
TEMPLATE = "{% for m in messages %}{{ bos_token + m['content'] + eos_token }}{% endfor %}"
Audit = list[tuple[str, str, str]]


@pytest.fixture
def pair(pytester: pytest.Pytester) -> Path:
    """./base and ./tuned, whose weights alone differ, and a suite of one prompt; the folder of ./tuned."""
    tiny_llama(pytester.path / "base", seed=1)
    (pytester.path / "s.yaml").write_text(PLAIN)
    return tiny_llama(pytester.path / "tuned", seed=2)


def run(pytester: pytest.Pytester, *options: str) -> tuple[pytest.RunResult, Audit]:
    """Compare them, and read what the report says of the pair."""
    fixed = ("--model=./tuned", "--baseline=./base", "--forgetting-store=store", "--forgetting-report=report.json")
    result = pytester.runpytest_inprocess(*fixed, "--device=cpu", "-p", "no:randomly", "s.yaml", *options)
    report = read_report(pytester.path / "report.json")
    return result, [(each["finding"], each["severity"], each["detail"]) for each in report["audit"]]


def add_to_tokenizer(folder: Path, **changes: Any) -> None:
    """Change keys of tokenizer.json."""
    edit_json(folder / "tokenizer.json", **changes)


def processor(*tokens: str) -> dict[str, Any]:
    """A post-processor that puts special tokens before every text."""
    pieces = [{"SpecialToken": {"id": token, "type_id": 0}} for token in tokens]
    told = {token: {"id": token, "ids": [1], "tokens": [token]} for token in tokens}
    text = [{"Sequence": {"id": "A", "type_id": 0}}]
    return {"type": "TemplateProcessing", "single": [*pieces, *text], "pair": [*pieces, *text], "special_tokens": told}


def test_a_gentle_tuning_gives_no_finding(pytester: pytest.Pytester, pair: Path) -> None:
    """Other weights are no fault: nothing is told but, of two models that always say the same, that they do."""
    result, audit = run(pytester)
    assert [each for each in audit if each[0] != "identity"] == []
    assert "forgetting: warning" not in result.stdout.str()


def test_a_doubled_first_token(pytester: pytest.Pytester, pair: Path) -> None:
    """A tokenizer that adds two is caught by what the model reads, and again when all answers are stored."""
    for folder, tokens in ((pytester.path / "base", [BEGIN]), (pair, [BEGIN, BEGIN])):
        add_to_tokenizer(folder, post_processor=processor(*tokens))
    told = "the model: plain prompts begin with 2 <s>, which the tokenizer adds; leave one in the post_processor in*"
    for _ in ("asked", "stored"):
        result, audit = run(pytester)
        result.stdout.fnmatch_lines([f"warning: {told}"])
        assert [severity for finding, severity, _ in audit if finding == "double-bos"] == ["warning"]


def test_a_template_that_doubles_the_first_token(pytester: pytest.Pytester, pair: Path) -> None:
    """Both sides have the fault of the one template, so it is told once."""
    (pytester.path / "s.yaml").write_text(CHAT)
    (pytester.path / "double.jinja").write_text("{{ bos_token }}" + TEMPLATE)
    result, audit = run(pytester, "--chat-template=double.jinja")
    result.stdout.fnmatch_lines(
        ["warning: baseline and model: chats begin with 2 <s>, which the chat template writes;*"]
    )
    assert [finding for finding, _, _ in audit if finding != "identity"] == ["double-bos"]


def test_a_prompt_that_writes_the_first_token_itself(pytester: pytest.Pytester, pair: Path) -> None:
    """The tokenizer would add another one: it is asked for none, and there is nothing to be told."""
    for folder in (pytester.path / "base", pair):
        add_to_tokenizer(folder, post_processor=processor(BEGIN))
    (pytester.path / "s.yaml").write_text(PLAIN.replace("'number 1'", "'<s>number 1'"))
    _, audit = run(pytester)
    assert "double-bos" not in [finding for finding, _, _ in audit]


def test_a_first_token_that_got_lost(pytester: pytest.Pytester, pair: Path) -> None:
    """Many models answer badly without it."""
    add_to_tokenizer(pytester.path / "base", post_processor=processor(BEGIN))
    result, _ = run(pytester)
    result.stdout.fnmatch_lines(
        ["warning: plain prompts begin with <s> for the baseline and with no special token for the model: *"]
    )


def test_a_dropped_template(pytester: pytest.Pytester, pair: Path) -> None:
    """The model is asked through the baseline's, which is told before anything is asked and again at the end."""
    (pytester.path / "s.yaml").write_text(CHAT)
    tiny_llama(pytester.path / "base", seed=1, tokenizer=tiny_tokenizer(chat_template=TEMPLATE))
    result, audit = run(pytester)
    told = "the model has lost its chat template; it is asked through the baseline's: save it with the tokenizer, *"
    result.stdout.fnmatch_lines([f"forgetting: warning: {told}", "s.yaml *", f"warning: {told}"])
    assert [(finding, severity) for finding, severity, _ in audit if finding != "identity"] == [
        ("chat-template", "warning")
    ]


def test_an_end_of_turn_that_ends_nothing(pytester: pytest.Pytester, pair: Path) -> None:
    """Of a template whose answers end with words the model never stops at."""
    (pytester.path / "s.yaml").write_text(CHAT)
    (pytester.path / "endless.jinja").write_text(TEMPLATE.replace("eos_token", "'<|im_end|>'"))
    result, _ = run(pytester, "--chat-template=endless.jinja")
    result.stdout.fnmatch_lines(
        ["warning: baseline and model: the chat template ends an answer with <|im_end|>, which is no end of *"]
    )


def test_another_end_of_sequence(pytester: pytest.Pytester, pair: Path) -> None:
    """A word as the end cuts answers off."""
    for name in ("config.json", "generation_config.json"):
        edit_json(pair / name, eos_token_id=40)
    result, audit = run(pytester)
    result.stdout.fnmatch_lines(
        ["warning: the model's answers end at </s> (2) and F (40), the baseline's at </s> (2): *"]
    )
    assert ("eos", "warning") in [(finding, severity) for finding, severity, _ in audit]


@pytest.mark.parametrize("baseline", ["--baseline=base", "--baseline=./base"])
def test_an_adapter_of_zeros(pytester: pytest.Pytester, pair: Path, baseline: str) -> None:
    """Its files tell before it is asked that it changes nothing; no gate can decide, and the build fails."""
    shutil.rmtree(pair)
    tiny_adapter(pair, pytester.path / "base", randomise=False)
    result, audit = run(pytester, baseline)
    told = "fatal: the adapter changes no logit: the model under test is its base"
    result.stdout.fnmatch_lines([f"forgetting: {told}", "s.yaml *", told, "*INCONCLUSIVE*"])
    assert ("adapter", "fatal") in [(finding, severity) for finding, severity, _ in audit]
    assert result.ret == 1


def test_an_adapter_on_another_base(pytester: pytest.Pytester, pair: Path) -> None:
    """It is compared with the stated baseline all the same, and the report says what it stands on."""
    shutil.rmtree(pair)
    tiny_llama(pytester.path / "other", seed=3)
    tiny_adapter(pair, pytester.path / "other")
    for _ in ("asked", "stored"):
        result, _ = run(pytester)
        result.stdout.fnmatch_lines(
            ["warning: the adapter ./tuned stands on another base (*other) than the baseline ./base: *"]
        )


def test_an_added_token(pytester: pytest.Pytester, pair: Path) -> None:
    """It is named, and that it has no embedding."""
    whole = json.loads((pair / "tokenizer.json").read_text())
    add_to_tokenizer(
        pair, added_tokens=[*whole["added_tokens"], {**whole["added_tokens"][-1], "id": 288, "content": "<x>"}]
    )
    result, audit = run(pytester)
    result.stdout.fnmatch_lines(
        ["warning: the model's tokenizer has 1 token that the baseline's lacks (<x>): there is no embedding for <x>, *"]
    )
    assert [finding for finding, _, _ in audit if finding != "identity"] == ["vocabulary"]


def test_a_changed_generation_config(pytester: pytest.Pytester, pair: Path) -> None:
    """It takes no part in greedy answers, which is told as information only."""
    edit_json(pair / "generation_config.json", temperature=0.7, do_sample=True)
    result, audit = run(pytester)
    assert [each for each in audit if each[0] != "identity"] == [
        (
            "generation-config",
            "info",
            "generation_config.json differs (do_sample False → True, temperature 1.0 → 0.7);"
            " overridden for both: answers here are greedy, or drawn as the suite says",
        )
    ]
    assert "forgetting: info" not in result.stdout.str()


def test_a_broken_file_stops_the_run(pytester: pytest.Pytester, pair: Path) -> None:
    """One message with the path, exit code 3, and nobody is asked."""
    (pair / "tokenizer.json").write_text("{")
    result = pytester.runpytest_inprocess("--model=./tuned", "--baseline=./base", "--forgetting-store=store", "s.yaml")
    assert result.ret == 3
    result.stdout.fnmatch_lines(["*forgetting: *tuned/tokenizer.json cannot be read: *"])


def test_a_recording_has_no_files_to_compare(pytester: pytest.Pytester, pair: Path) -> None:
    """Of a recorded baseline there is nothing to find, and nothing to stumble over."""
    edit_json(pair / "config.json", eos_token_id=40)
    recorded = ("--forgetting-store=store", "--forgetting-record=old.json", "--baseline=./base", "--device=cpu")
    assert pytester.runpytest_inprocess(*recorded, "s.yaml").ret == 0
    _, audit = run(pytester, "--baseline=old.json")
    assert [each for each in audit if each[0] != "identity"] == []


def test_a_token_cannot_command_the_terminal(pytester: pytest.Pytester, pair: Path) -> None:
    """Tokens may hold anything, escape sequences too; the report has them as they are."""
    edit_json(pair / "tokenizer_config.json", pad_token="\x1b[31mred")
    result, audit = run(pytester)
    assert any("\x1b[31mred" in detail for _, _, detail in audit)
    assert "\x1b[31mred" not in result.stdout.str()
    assert "[31mred" in result.stdout.str()
