"""Samples of lm-evaluation-harness as suites and recordings: the harness's own accuracies come out of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import scipy.optimize  # noqa: F401 - an in-process pytest would import it anew, and numpy with it

from pytest_forgetting.importing.command import import_files

DATE = "2026-01-02T03-04-05.678901"
MODELS = ("base", "tuned")


def spoken(doc: int, target: str, said: str, right: float, **more: Any) -> dict[str, Any]:
    """A line of a generate_until task."""
    options = {"until": ["\n"], "max_gen_toks": 24, "do_sample": False} | more.pop("options", {})
    return {
        "doc_id": doc,
        "doc": {"id": doc},
        "target": target,
        "arguments": {"gen_args_0": {"arg_0": f"Question {doc}\nAnswer:", "arg_1": options}},
        "resps": [[said]],
        "filtered_resps": [said],
        "filter": "none",
        "metrics": ["exact_match"],
        "exact_match": right,
    } | more


def scored(doc: int, target: int, *nats: float, right: float, **more: Any) -> dict[str, Any]:
    """A line of a multiple_choice task."""
    pairs = [{"arg_0": f"Question {doc}", "arg_1": f" choice {n}"} for n in range(len(nats))]
    return {
        "doc_id": doc,
        "doc": {},
        "target": str(target),
        "arguments": {f"gen_args_{n}": pair for n, pair in enumerate(pairs)},
        "resps": [[[str(each), "False"]] for each in nats],
        "filtered_resps": [[str(each), "False"] for each in nats],
        "filter": "none",
        "metrics": ["acc", "acc_norm"],
        "acc": right,
        "acc_norm": right,
    } | more


def write(folder: Path, model: str, task: str, rows: Sequence[dict[str, Any]]) -> str:
    """A file of samples where the harness puts it; its path."""
    path = folder / "out" / model / f"samples_{task}_{DATE}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (path.parent / f"results_{DATE}.json").write_text(json.dumps({"model_name": f"models/{model}"}))
    return str(path.relative_to(folder))


def imported(pytester: pytest.Pytester, *files: str) -> list[str]:
    """What the command prints."""
    result = pytester.runpytest_inprocess("--forgetting-import", *files)
    assert result.ret == 0
    return [line for line in result.outlines if line]


def accuracies(pytester: pytest.Pytester, suite: str) -> tuple[float, float]:
    """Of both models, by a run on what was imported."""
    pytester.runpytest_inprocess("--model=tuned.json", "--baseline=base.json", suite, "--forgetting-report=r.json")
    (found,) = json.loads((pytester.path / "r.json").read_text())["suites"]
    return found["baseline_accuracy"], found["model_accuracy"]


def test_answers_give_the_accuracies_of_the_harness(pytester: pytest.Pytester) -> None:
    """Where it looks at capitals, so do we; the suite is run as it was written."""
    rows = {
        "base": [spoken(0, "Paris", "Paris", 1.0), spoken(1, "Rome", "Rome", 1.0), spoken(2, "Bonn", "bonn", 0.0)],
        "tuned": [spoken(0, "Paris", "paris", 0.0), spoken(1, "Rome", "Rome", 1.0), spoken(2, "Bonn", "It.", 0.0)],
    }
    files = [write(pytester.path, model, "capitals", rows[model]) for model in MODELS]
    assert imported(pytester, *files) == [
        *("wrote capitals.yaml", "wrote base.json", "wrote tuned.json"),
        "next: pytest --model=tuned.json --baseline=base.json capitals.yaml",
    ]
    assert accuracies(pytester, "capitals.yaml") == pytest.approx((2 / 3, 1 / 3))


def test_choices_give_the_accuracies_of_the_harness(pytester: pytest.Pytester) -> None:
    """By the log-likelihoods that it wrote."""
    rows = {
        "base": [scored(0, 1, -3.0, -2.0, right=1.0), scored(1, 0, -1.0, -2.0, right=1.0)],
        "tuned": [scored(0, 1, -1.5, -2.0, right=0.0), scored(1, 0, -1.0, -2.0, right=1.0)],
    }
    imported(pytester, *(write(pytester.path, model, "pick_one", rows[model]) for model in MODELS))
    assert accuracies(pytester, "pick_one.yaml") == (1.0, 0.5)


def test_what_a_filter_took_from_the_answer(pytester: pytest.Pytester) -> None:
    """Results behind GSM8K's mark are found in the answer as it was said, by their value."""
    target = "He has 3 times 4.\n#### 12"
    one = spoken(0, target, "So it is 12.", 1.0, filtered_resps=["12"], filter="strict")
    other = spoken(0, target, "So it is 12.", 0.0, filtered_resps=["3"], filter="flexible")
    wrong = spoken(1, target, "So it is 13.", 0.0, filtered_resps=["13"], filter="strict")
    files = [write(pytester.path, model, "sums", [one, other, wrong]) for model in MODELS]
    assert imported(pytester, *files)[:2] == [
        f"{file}:2: filter flexible: not carried over: answers are taken once, as filter strict has them"
        for file in files
    ]
    assert accuracies(pytester, "sums.yaml") == (0.5, 0.5)


def test_a_verdict_that_no_rule_explains_is_named(pytester: pytest.Pytester) -> None:
    """The accuracies will differ by just these."""
    rows = [spoken(0, "a", "a", 1.0), spoken(1, "a", "b", 1.0), spoken(2, "a", "b", 0.0)]
    file = write(pytester.path, "base", "t", rows)
    assert imported(pytester, file)[0] == f"{file}:2: doc_id 1: is judged otherwise: the harness calls it right"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (spoken(1, "a", "b", 0.0, options={"do_sample": True}), "the answer was drawn (do_sample), *"),
        (spoken(1, "", "b", 0.0), "it has no target text"),
        (spoken(1, "a", "b", 0.0, options={"until": ["x"]}), "it is asked under other limits than *"),
        (spoken(1, "a", "b", 0.0) | {"target": None}, "it has no target text"),
        (
            spoken(1, "a", "b", 0.0, arguments={"gen_args_0": {"arg_0": "Q \ud83d", "arg_1": {"until": []}}}),
            "its prompt: it has characters that a text cannot have",
        ),
        (scored(1, 0, -1.0, float("nan"), right=1.0), "a log-likelihood of it is no finite number"),
        (scored(1, 0, -1.0, right=1.0), "it is no choice among texts (loglikelihood *"),
        (scored(1, 7, -1.0, -2.0, right=1.0), "its target '7' is no number of one of its choices"),
        (
            spoken(1, "a", "b", 0.0, arguments={"gen_args_0": {"arg_0": "", "arg_1": {"until": []}}}),
            "its prompt: it is empty",
        ),
        (spoken(0, "a", "b", 0.0), "it stands at *:1 already"),
    ],
)
def test_samples_that_are_left_behind(pytester: pytest.Pytester, row: dict[str, Any], told: str) -> None:
    """Each with its line; the others are carried over."""
    file = write(pytester.path, "base", "t", [spoken(0, "a", "a", 1.0), row])
    line = imported(pytester, file)[0]
    assert line.startswith(f"{file}:2: doc_id {row['doc_id']}: not carried over: {told.partition('*')[0]}")


@pytest.mark.parametrize("target", ["9" * 3000, "[" * 3000])
def test_targets_that_are_too_long_for_a_pattern(pytester: pytest.Pytester, target: str) -> None:
    """They are compared in another way than by a regular expression."""
    file = write(pytester.path, "base", "t", [spoken(0, target, f" {target}", 0.0), spoken(1, "a", "a", 1.0)])
    assert imported(pytester, file)[0] == f"{file}:1: doc_id 0: is judged otherwise: the harness calls it wrong"


def test_models_that_were_asked_different_things(pytester: pytest.Pytester) -> None:
    """Only what both were asked is a case."""
    other = spoken(1, "b", "b", 1.0) | {"target": "c"}
    files = [
        write(pytester.path, "base", "t", [spoken(0, "a", "a", 1.0), spoken(1, "b", "b", 1.0)]),
        write(pytester.path, "tuned", "t", [spoken(0, "a", "a", 1.0), other, spoken(2, "d", "d", 1.0)]),
    ]
    assert imported(pytester, *files)[:2] == [
        f"{files[0]}:2: doc_id 1: not carried over: another of the models was not asked it, or otherwise",
        f"{files[1]}:3: doc_id 2: not carried over: {files[0]} does not have it",
    ]


def test_one_name_for_two_models(pytester: pytest.Pytester) -> None:
    """A folder that was tuned on: its files' folders tell them apart."""
    files = [write(pytester.path, model, "t", [spoken(0, "a", "a", 1.0)]) for model in MODELS]
    for model in MODELS:
        (pytester.path / "out" / model / f"results_{DATE}.json").write_text('{"model_name": "./ckpt"}')
    assert imported(pytester, *files)[1:3] == ["wrote out-base.json", "wrote out-tuned.json"]


def test_never_over_a_file_that_is_there(pytester: pytest.Pytester) -> None:
    """Nothing is written then, equal files are left alone, and one option allows it."""
    file = write(pytester.path, "base", "t", [spoken(0, "a", "a", 1.0)])
    imported(pytester, file)
    assert imported(pytester, file)[:2] == ["unchanged: t.yaml", "unchanged: base.json"]
    (pytester.path / "base.json").unlink()
    (pytester.path / "t.yaml").write_text("mine\n")
    refused = pytester.runpytest_inprocess("--forgetting-import", file)
    assert refused.ret == 4
    refused.stderr.fnmatch_lines(
        ["ERROR: t.yaml: would be replaced (--forgetting-overwrite allows it); nothing was written"]
    )
    assert not (pytester.path / "base.json").exists()
    assert (pytester.path / "t.yaml").read_text() == "mine\n"
    result = pytester.runpytest_inprocess("--forgetting-overwrite", "--forgetting-import", file)
    assert result.ret == 0
    assert "forgetting: qa" in (pytester.path / "t.yaml").read_text()


def test_never_over_a_folder(pytester: pytest.Pytester) -> None:
    """Nor is the suite beside it written."""
    file = write(pytester.path, "base", "t", [spoken(0, "a", "a", 1.0)])
    pytester.mkdir("base.json")
    result = pytester.runpytest_inprocess("--forgetting-overwrite", "--forgetting-import", file)
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: base.json: is a folder, and would be a file; nothing was written"])
    assert not (pytester.path / "t.yaml").exists()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("samples_t.jsonl", "{", "samples_t.jsonl:1: is no JSON: "),
        ("samples_t.jsonl", "", "samples_t.jsonl: is empty; wanted samples of lm-evaluation-harness (--log_samples)"),
        ("samples_t.jsonl", '{"question": "a"}', "samples_t.jsonl:1: is no sample; wanted samples of lm-eval"),
        ("samples_t.jsonl", b"\xff", "samples_t.jsonl: is not UTF-8; wanted samples of lm-evaluation-harness"),
        *(
            ("samples_t.jsonl", json.dumps(spoken(0, "a", "a", 1.0) | changed), f"samples_t.jsonl:1: is no {told}")
            for changed, told in (
                ({"resps": None}, "sample that lm-evaluation-harness 0.4 writes; wanted doc_id a number, arguments"),
                ({"doc_id": "x"}, "sample that lm-evaluation-harness 0.4 writes; wanted doc_id a number, arguments"),
                ({"arguments": []}, "sample that lm-evaluation-harness 0.4 writes; wanted doc_id a number, arguments"),
                ({"arguments": {"a": {}}}, "sample that lm-evaluation-harness 0.4 writes: it has no 'arg_0'"),
            )
        ),
        ("x.csv", "", "x.csv: wanted samples_*.jsonl of lm-evaluation-harness, or YAML of promptfoo"),
        ("gone", None, "gone: there is no such file"),
    ],
)
def test_files_that_hold_no_samples(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: str | bytes | None,
    told: str,
) -> None:
    """Exit code 4, one message, nothing written."""
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert import_files([name], tmp_path) == 4
    assert f"ERROR: {told}" in capsys.readouterr().err
