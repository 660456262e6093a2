"""Choice suites from the command line: on recordings worked out by hand, and on real models."""

import json
from pathlib import Path
from typing import Any

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.plugin.real_runs import PAIR, rounded, run
from tests.recordings import record_all, scored
from tests.reports import read_report
from tests.scoring import loglikelihood
from tests.tiny_models import tiny_llama

SUITE = """\
forgetting: choice
name: Riddles
gate: {max_drop: 0.2}
cases:
  - {id: one, question: One?, choices: [ox, "€€€€€€€€€€", aaaaaaaaaaaaaaaaaaaa], answer: 0}
  - {id: two, question: Two?, choices: [ox, "€€€€€€€€€€", aaaaaaaaaaaaaaaaaaaa], answer: 1}
  - {id: three, question: Three?, choices: [ox, "€€€€€€€€€€", aaaaaaaaaaaaaaaaaaaa], answer: 2}
  - {id: four, question: Four?, choices: [left, right], answer: left}
"""
# Per choice, character and byte the first, the third and the second are the likeliest (tests/grading/test_choices.py).
SPLIT = (-5.0, -12.0, -18.0)
FIRST = (-1.0, -90.0, -90.0)


def recorded(folder: Path, text: str = SUITE) -> Path:
    """A suite, and recordings of a baseline that is split on all riddles and of a model that always takes the first."""
    suite = folder / "riddles.yaml"
    suite.write_text(text)
    riddles = ("one", "two", "three")
    record_all(folder / "old.json", suite, {**{name: scored(*SPLIT) for name in riddles}, "four": scored(-1.0, -2.0)})
    record_all(folder / "new.json", suite, {**{name: scored(*FIRST) for name in riddles}, "four": scored(-3.0, -2.0)})
    return suite


def gate(pytester: pytest.Pytester, *options: str) -> tuple[pytest.RunResult, dict[str, Any]]:
    """Compare both recordings."""
    args = ("--model", "new.json", "--baseline", "old.json", "riddles.yaml", "--forgetting-report", "r.json")
    result = pytester.runpytest_inprocess("-p", "no:randomly", *args, *options)
    report = pytester.path / "r.json"
    return result, read_report(report) if report.exists() else {}


@pytest.mark.parametrize(("score", "kept"), [("acc", ["one"]), ("acc_norm", []), ("acc_bytes", [])])
def test_the_suites_measure_decides_what_was_right(pytester: pytest.Pytester, score: str, kept: list[str]) -> None:
    """The baseline is right on `four` and on the riddle that its measure picks; the model on `one` alone."""
    recorded(pytester.path, SUITE.replace("name:", f"score: {score}\nname:"))
    _, report = gate(pytester)
    had = {"acc": "one", "acc_norm": "three", "acc_bytes": "two"}[score]
    assert [case["id"] for case in report["cases"] if case["baseline"]["correct"]] == [had, "four"]
    assert [case["id"] for case in report["cases"] if case["model"]["correct"]] == ["one"]
    assert [case["id"] for case in report["cases"] if case["outcome"] == "retained"] == kept


def test_all_measures_are_told_beside_the_one_that_counts(pytester: pytest.Pytester) -> None:
    """The line below the table, the JSON's `choosing`, and each side's `picks`: by hand."""
    recorded(pytester.path)
    result, report = gate(pytester)
    # Chance: (1/3 + 1/3 + 1/3 + 1/2) / 4. Of three choices none was forgotten: 0 − 2 · 2 / (3 · 2); of two: 1 − 0.
    line = "acc 50.0 % → 25.0 %, acc_norm 50.0 % → 25.0 %, acc_bytes 50.0 % → 25.0 %"
    result.stdout.fnmatch_lines([f"Riddles: {line}; 8.3 % forgotten beyond guessing (chance 37.5 %)"])
    choosing = report["suites"][0]["choosing"]
    assert choosing["chance"] == pytest.approx(0.375)
    assert choosing["adjusted_forgetting"] == pytest.approx((1 - 2 * 2 / (3 * 2)) / 4)
    assert choosing["accuracies"]["acc_norm"] == {"baseline": 0.5, "model": 0.25}
    one = report["cases"][0]
    assert one["baseline"]["picks"] == {"acc": 0, "acc_norm": 2, "acc_bytes": 1}
    assert one["baseline"]["loglikelihoods"] == list(SPLIT)
    assert one["choices"] == ["ox", "€" * 10, "a" * 20]
    assert one["expected"] == ["ox"]


def test_a_lost_choice_is_shown_with_both_picks(pytester: pytest.Pytester) -> None:
    """What was wanted, had and is held the likeliest now."""
    recorded(pytester.path)
    result, _ = gate(pytester)
    result.stdout.fnmatch_lines(["riddles.yaml:8  Four?", '    wanted left · had "left" · now "right"*'])


def test_a_baseline_that_only_guesses_is_never_green(pytester: pytest.Pytester) -> None:
    """Half of the cases are right, three eighths are guessed: less than 20 points can be lost."""
    recorded(pytester.path)
    result, _ = gate(pytester)
    assert result.ret == 1
    told = "*INCONCLUSIVE  the baseline does not know this beyond guessing (37.5 %): nothing to forget*"
    result.stdout.fnmatch_lines([told])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "choices: [left, right]",
            "choices: [left, up]",
            "'four': choices ' left', ' right' recorded, ' left', ' up' asked",
        ),
        (
            "choices: [left, right]",
            "choices: [right, left]",
            "'four': choices ' left', ' right' recorded, ' right', ' left' asked",
        ),
        ("question: Four?", "question: 4?", "'four': prompt '*Four?*' recorded, '*4?*' asked"),
        ("name: Riddles", 'name: Riddles\ndelimiter: ""', "'one': choices ' ox', *"),
    ],
)
def test_recordings_of_other_choices_are_refused(pytester: pytest.Pytester, old: str, new: str, told: str) -> None:
    """Other choices, order, prompt or delimiter: the message shows both."""
    suite = recorded(pytester.path)
    assert old in suite.read_text()
    suite.write_text(suite.read_text().replace(old, new))
    result, _ = gate(pytester)
    assert result.ret == 4
    result.stdout.fnmatch_lines(["*old.json was not recorded from these cases:", f"  *riddles.yaml:*: {told}"])


def test_another_right_answer_needs_no_new_recording(pytester: pytest.Pytester) -> None:
    """Which choice is right is no part of what the model was asked."""
    suite = recorded(pytester.path)
    suite.write_text(suite.read_text().replace("answer: left}", "answer: right}"))
    _, report = gate(pytester)
    assert report["cases"][3]["outcome"] == "learned"


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        ("[-1.0]", "loglikelihoods: found [-1.0]; wanted 2 numbers"),
        ("[-1.0, NaN]", "loglikelihoods: found [-1.0, nan]; wanted 2 numbers"),
        ("[]", "loglikelihoods: found []; wanted 2 numbers"),
        ('["a", "b"]', "loglikelihoods: found ['a', 'b']; wanted 2 numbers"),
    ],
)
def test_a_recording_with_other_numbers_than_choices_is_damaged(
    pytester: pytest.Pytester, scores: str, told: str
) -> None:
    """One line, before anything is compared."""
    recorded(pytester.path)
    path = pytester.path / "new.json"
    assert "[-3.0, -2.0]" in path.read_text()
    path.write_text(path.read_text().replace("[-3.0, -2.0]", scores))
    result, _ = gate(pytester)
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        [f"ERROR: new.json: is a damaged recording: answer 4 ('four'): {told}".replace("[", "[[]")]
    )


CHOICES = ("Paris", "Rome, the city", "7", "the")


@pytest.fixture
def models(pytester: pytest.Pytester) -> Path:
    """Two models, and a suite of six cases with three or four choices each."""
    tiny_llama(pytester.path / "base", seed=1)
    tiny_llama(pytester.path / "tuned", seed=2)
    rows = [
        {"question": f"Number {n} is", "choices": list(CHOICES[: 3 + n % 2]), "answer": n % 3, "category": "ab"[n % 2]}
        for n in range(6)
    ]
    (pytester.path / "s.yaml").write_text(f"forgetting: choice\ncases: {json.dumps(rows)}\n")
    return pytester.path


def test_real_models_are_scored_as_by_transformers_alone(pytester: pytest.Pytester, models: Path) -> None:
    """Every log-likelihood of the report, from one plain forward pass per choice."""
    _, report = run(pytester, *PAIR)
    for side, folder in (("baseline", "base"), ("model", "tuned")):
        model: Any = AutoModelForCausalLM.from_pretrained(models / folder)
        tokenizer: Any = AutoTokenizer.from_pretrained(models / folder)
        for case in report["cases"]:
            before = tokenizer(case["prompt"])["input_ids"]
            whole = [tokenizer(f"{case['prompt']} {choice}")["input_ids"] for choice in case["choices"]]
            expected = [loglikelihood(model, before, ids[len(before) :]) for ids in whole]
            assert case[side]["loglikelihoods"] == pytest.approx(expected, rel=1e-5, abs=1e-4)


def test_a_second_run_asks_nobody(pytester: pytest.Pytester, models: Path) -> None:
    """Log-likelihoods come from the store, and all that is made of them; another score needs no new ones."""
    _, first = run(pytester, *PAIR)
    _, second = run(pytester, *PAIR)
    assert (first["timing"]["model_computed"], second["timing"]["model_computed"]) == (6, 0)
    assert {**first, "timing": 0} == {**second, "timing": 0}
    with (models / "s.yaml").open("a") as suite:
        suite.write("score: acc_norm\n")
    _, third = run(pytester, *PAIR)
    assert (third["timing"]["model_computed"], third["timing"]["baseline_computed"]) == (0, 0)


def test_recorded_choices_compare_as_the_models_did(pytester: pytest.Pytester, models: Path) -> None:
    """Both sides recorded and read back give the same cases, numbers included."""
    _, live = run(pytester, *PAIR, "--forgetting-record", "new.json")
    run(pytester, "--baseline=./base", "--forgetting-record", "old.json")
    _, again = run(pytester, "--model=new.json", "--baseline=old.json")
    assert rounded(again["cases"]) == rounded(live["cases"])
    assert again["suites"] == live["suites"]


def test_workers_report_the_same(pytester: pytest.Pytester, models: Path) -> None:
    """Under xdist every case is scored once in all workers together."""
    _, together = run(pytester, *PAIR, "-n", "2", "--forgetting-no-store")
    _, alone = run(pytester, *PAIR, "--forgetting-no-store")
    assert together["timing"]["model_computed"] == 6
    assert {**together, "timing": 0} == {**alone, "timing": 0}


def test_behind_a_chat_template_no_delimiter_stands(pytester: pytest.Pytester, models: Path) -> None:
    """The template ends where the answer begins: what is scored there is the bare choice."""
    template = "{% for turn in messages %}<|{{ turn.role }}|>{{ turn.content }}\n{% endfor %}<|assistant|>"
    (models / "t.jinja").write_text(template)
    _, report = run(pytester, *PAIR, "--chat-template=t.jinja", "--forgetting-record", "new.json")
    line = json.loads((models / "new.json").read_text())["answers"][0]
    assert line["prompt"] == [["user", "Number 0 is"]]
    assert line["continuations"] == list(CHOICES[:3])
    model: Any = AutoModelForCausalLM.from_pretrained(models / "tuned")
    tokenizer: Any = AutoTokenizer.from_pretrained(models / "tuned")
    text = "<|user|>Number 0 is\n<|assistant|>"
    before, whole = (tokenizer(each, add_special_tokens=False)["input_ids"] for each in (text, text + CHOICES[0]))
    expected = loglikelihood(model, before, whole[len(before) :])
    assert report["cases"][0]["model"]["loglikelihoods"][0] == pytest.approx(expected, rel=1e-5, abs=1e-4)
