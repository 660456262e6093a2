"""A recorded baseline in the place of a live one: the same outcomes and causes, and what it is refused for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.real_runs import PAIR, rounded, run
from tests.tiny_models import END, scripted_llama, tiny_adapter, tiny_llama, tiny_tokenizer

QA = """\
forgetting: qa
match: exact
cases:
  - {id: a, prompt: 'a?', answer: xy}
  - {id: b, prompt: 'b!', answer: xy}
"""
CHECKS = "forgetting: checklist\ncases:\n  - {id: c, test: t, prompt: 'c?', checks: [{type: contains, value: x}]}\n"
CHAT = "{% for turn in messages %}<|{{ turn.role }}|>{{ turn.content }}\n{% endfor %}"
RECORD = ("--baseline=./base", "--forgetting-record=old.json")
RECORDED = ("--model=./tuned", "--baseline=old.json")


@pytest.fixture
def pair(pytester: pytest.Pytester) -> Path:
    """A base that says "xy" behind "?", and a tuned model that says "z" there; both say "xy" behind "!"."""
    kept = ("!", "x", "y", END)
    scripted_llama(pytester.path / "base", ("?", "x", "y", END), kept, tokenizer=tiny_tokenizer())
    scripted_llama(pytester.path / "tuned", ("?", "z", END), kept, tokenizer=tiny_tokenizer())
    (pytester.path / "qa.yaml").write_text(QA)
    (pytester.path / "s.yaml").write_text(CHECKS)
    return pytester.path


def edit(path: Path, **model: Any) -> None:
    """Change what a recording tells of its model."""
    file = json.loads(path.read_text())
    file["model"].update(model)
    path.write_text(json.dumps(file))


def found(report: dict[str, Any], *kinds: str) -> list[str]:
    """What the audit warns of."""
    return [each["detail"] for each in report["audit"] if each["finding"] in kinds and each["severity"] == "warning"]


def causes(report: dict[str, Any]) -> list[tuple[str, Any]]:
    """Of each case its cause, and how likely both hold the right answer."""
    return [(case["cause"], rounded(case.get("right_answer"))) for case in report["cases"]]


def test_a_recorded_baseline_gives_the_causes_of_a_live_one(pytester: pytest.Pytester, pair: Path) -> None:
    """How likely the right answer was held is recorded, of questions and of checks; so it is of a recorded model."""
    _, live = run(pytester, *PAIR, "qa.yaml")
    run(pytester, *RECORD, "qa.yaml")
    _, recorded = run(pytester, *RECORDED, "qa.yaml")
    assert causes(recorded) == causes(live)
    assert [text and text["text"] for _, text in causes(live)] == ["xy", None, "xy"]
    run(pytester, "--baseline=./tuned", "--forgetting-record=new.json", "qa.yaml")
    _, both = run(pytester, "--model=new.json", "--baseline=old.json", "qa.yaml")
    assert causes(both)[:2] == causes(live)[:2]


def test_another_right_answer_is_no_longer_the_one_that_was_scored(pytester: pytest.Pytester, pair: Path) -> None:
    """The answer needs no new recording; only how likely it was held is not known."""
    run(pytester, *RECORD, "qa.yaml")
    (pair / "qa.yaml").write_text(QA.replace("answer: xy", "answer: [x y, xy]"))
    _, report = run(pytester, *RECORDED, "qa.yaml")
    assert [case["outcome"] for case in report["cases"][:2]] == ["forgotten", "retained"]
    assert "right_answer" not in report["cases"][0]


def test_in_half_precision_outcomes_are_confirmed_by_what_was_recorded(pytester: pytest.Pytester, pair: Path) -> None:
    """A recording holds what is said in batches of one shape; the model is asked again in such."""
    half = ("qa.yaml", "--dtype=bfloat16")
    run(pytester, *RECORD, *half)
    _, report = run(pytester, *RECORDED, *half)
    _, live = run(pytester, *PAIR, *half)
    for each in (report, live):
        told = [finding["detail"] for finding in each["audit"] if finding["finding"] == "confirm"]
        assert [line.rpartition(": ")[2] for line in told] == ["2 confirmed, 0 numeric noise"]


def test_in_half_precision_a_recording_does_not_depend_on_the_batch(pytester: pytest.Pytester) -> None:
    """Other batch sizes would change answers: all batches of a recording have one shape."""
    tiny_llama(pytester.path / "base", seed=3)
    rows = [{"id": f"c{n}", "prompt": f"{'number ' * (n % 5)}{n}", "answer": "x"} for n in range(12)]
    (pytester.path / "s.yaml").write_text(f"forgetting: qa\nmax_new_tokens: 12\ncases: {json.dumps(rows)}\n")
    written = set()
    for size in ("1", "5", "auto"):
        options = ("--dtype=bfloat16", f"--batch-size={size}", "--forgetting-no-store")
        assert run(pytester, *RECORD, *options)[0].ret == 0
        written.add((pytester.path / "old.json").read_bytes())
        (pytester.path / "old.json").unlink()
    assert len(written) == 1


def test_a_near_tie_is_recorded_as_such(pytester: pytest.Pytester, pair: Path) -> None:
    """So the report can doubt an outcome that rounding may have decided, though the baseline is not at hand."""
    scripted_llama(pair / "base", ("?", "x", END), ("?", "z", END), tokenizer=tiny_tokenizer())
    (pair / "s.yaml").write_text(CHECKS)
    run(pytester, *RECORD)
    (answer,) = json.loads((pair / "old.json").read_text())["answers"]
    assert answer["near_tie"] is True
    scripted_llama(pair / "tuned", ("?", "z" if answer["answer"] == "x" else "x", END), tokenizer=tiny_tokenizer())
    (pair / "s.yaml").write_text(CHECKS.replace("value: x", f"value: {answer['answer']}"))
    _, report = run(pytester, *RECORDED)
    assert [case["first_outcome"] for case in report["cases"]] == ["forgotten"]


@pytest.mark.parametrize(
    ("model", "kind", "told"),
    [
        ({"versions": {"torch": "1.0"}}, "versions", "the baseline answers under torch 1.0, the model under torch *"),
        (
            {"device": "cuda"},
            "device",
            "the baseline answers on a device of kind cuda, the model on a device of kind cpu",
        ),
        ({"dtype": "bfloat16"}, "dtype", "the baseline answers in bfloat16, the model in float32"),
        (
            {"quantization": "4bit"},
            "quantization",
            "the baseline answers with quantization 4bit, the model with quantization none",
        ),
        (
            {"chat_template": "f" * 64},
            "chat-template",
            "the baseline was asked through a chat template; the model has none, and is asked in plain text (*",
        ),
    ],
)
def test_what_else_differs_is_a_warning(
    pytester: pytest.Pytester, pair: Path, model: dict[str, Any], kind: str, told: str
) -> None:
    """It is told above the answers and in the report, and decides nothing."""
    (pair / "s.yaml").write_text("forgetting: text\ncases:\n  - {text: abc}\n")  # asked alike in chats and without
    run(pytester, *RECORD)
    edit(pair / "old.json", **model)
    result, report = run(pytester, *RECORDED)
    assert len(found(report, kind)) == 1
    assert result.ret == 0
    result.stdout.fnmatch_lines([f"forgetting: warning: {told}", f"warning: {told}"])


def test_an_adapter_says_what_its_baseline_is(pytester: pytest.Pytester) -> None:
    """A recording of other weights than those it stands on is refused; one of its base is not."""
    base = tiny_llama(pytester.path / "base", seed=1)
    tiny_llama(pytester.path / "other", seed=2)
    tiny_adapter(pytester.path / "tuned", base)
    (pytester.path / "s.yaml").write_text(CHECKS)
    for name in ("base", "other", "tuned"):
        run(pytester, f"--baseline=./{name}", f"--forgetting-record={name}.json")
    for name in ("base", "tuned"):  # an older adapter on the same base is a baseline as well
        assert run(pytester, "--model=./tuned", f"--baseline={name}.json")[0].ret in (0, 1)
    result, _ = run(pytester, "--model=./tuned", "--baseline=other.json")
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        [
            "ERROR: other.json was recorded otherwise: its weights are * (./other), and the adapter ./tuned stands on"
            " *; record its own base, or give the baseline as a model"
        ]
    )


@pytest.fixture
def chat(pytester: pytest.Pytester) -> pytest.Pytester:
    """A base with a chat template, recorded; the tuned model has the same one."""
    for name, seed in (("base", 1), ("tuned", 2)):
        tiny_llama(pytester.path / name, seed, tiny_tokenizer(chat_template=CHAT))
    (pytester.path / "s.yaml").write_text(CHECKS)
    run(pytester, *RECORD)
    return pytester


def test_a_recording_through_the_same_template_is_taken(chat: pytest.Pytester) -> None:
    """Nothing is said about it."""
    result, report = run(chat, *RECORDED, "--chat-template=model")
    assert result.ret in (0, 1)
    assert found(report, "chat-template") == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--chat-template=none",), "chat template * recorded, none asked (--chat-template)"),
        (("--chat-template=other.jinja",), "chat template * recorded, * asked (--chat-template)"),
        (
            ("--think=off",),
            'chat template arguments {} recorded, {"enable_thinking": false, "thinking": false} asked (--think, *)',
        ),
        (
            ("--chat-template-kwargs", '{"tone": 1}'),
            'chat template arguments {} recorded, {"tone": 1} asked (--think, --chat-template-kwargs)',
        ),
    ],
)
def test_a_recording_through_another_template_is_refused(
    chat: pytest.Pytester, options: tuple[str, ...], told: str
) -> None:
    """Where the user says how to ask, a recording must have been asked so."""
    (chat.path / "other.jinja").write_text(CHAT + "!")
    result, _ = run(chat, *RECORDED, *options)
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"ERROR: old.json was recorded otherwise: {told}"])
