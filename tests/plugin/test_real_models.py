"""The gate on real models with random weights, from the command line."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import T5Config, T5ForConditionalGeneration

from pytest_forgetting.models.references import resolve
from tests.models.edits import edit_json
from tests.reports import read_report
from tests.tiny_models import tiny_adapter, tiny_llama, tiny_tokenizer

QUESTIONS = 8


@pytest.fixture
def base(pytester: pytest.Pytester) -> Path:
    """A model, and a suite that asks for exactly what it says."""
    folder = tiny_llama(pytester.path / "base", seed=1)
    rows = [f"  - {{id: c{n}, prompt: 'number {n}', answer: '.', match: regex}}\n" for n in range(QUESTIONS)]
    (pytester.path / "s.yaml").write_text("forgetting: qa\nmax_new_tokens: 6\ncases:\n" + "".join(rows))
    return folder


def run(pytester: pytest.Pytester, *options: str) -> tuple[pytest.RunResult, dict[str, Any]]:
    """Run the gate; its report where one was written. Workers get a process of their own, and so does their run."""
    report = pytester.path / "report.json"
    report.unlink(missing_ok=True)
    store = ("--forgetting-store", "store", "--device", "cpu", "-p", "no:randomly")
    # In a process of its own every run would import torch and transformers again, for seconds.
    start = pytester.runpytest_subprocess if "-n" in options else pytester.runpytest_inprocess
    result = start(*options, "s.yaml", *store, "--forgetting-report", "report.json")
    return result, read_report(report) if report.exists() else {}


def answers(report: dict[str, Any], side: str) -> list[str]:
    """What one side said."""
    return [case[side]["answer"] for case in report["cases"]]


def test_the_base_against_itself_is_green(pytester: pytest.Pytester, base: Path) -> None:
    """A copied folder is the same model: nothing is forgotten, and the report says why."""
    shutil.copytree(base, pytester.path / "copy")
    result, report = run(pytester, "--model=./copy", "--baseline=./base")
    assert result.ret == 0
    assert report["suites"][0]["accuracy_drop"] == 0
    assert report["audit"][0]["finding"] == "identity"


def test_a_tuning_that_changed_no_weight_is_told(pytester: pytest.Pytester, base: Path) -> None:
    """Its fingerprint differs, by a name in its configuration, and all its answers are the base's."""
    shutil.copytree(base, pytester.path / "tuned")
    edit_json(pytester.path / "tuned" / "config.json", tuned_by="nobody")
    result, _ = run(pytester, "--model=./tuned", "--baseline=./base")
    same = "all 8 answers of both models are the same, and so are their weights: no training changed any"
    result.stdout.fnmatch_lines([f"warning: {same}"])


def test_another_model_gives_other_answers(pytester: pytest.Pytester, base: Path) -> None:
    """Two models are really asked: their answers differ, and each side's fingerprint is its own."""
    tiny_llama(pytester.path / "tuned", seed=2)
    _, report = run(pytester, "--model=./tuned", "--baseline=./base")
    assert answers(report, "model") != answers(report, "baseline")
    assert report["model"]["fingerprint"] != report["baseline"]["fingerprint"]
    assert report["timing"]["model_computed"] == QUESTIONS


def test_a_second_run_asks_nobody(pytester: pytest.Pytester, base: Path) -> None:
    """Answers come from the store; an overwritten checkpoint is asked anew."""
    tiny_llama(pytester.path / "tuned", seed=2)
    _, first = run(pytester, "--model=./tuned", "--baseline=./base")
    _, second = run(pytester, "--model=./tuned", "--baseline=./base")
    assert second["timing"]["model_computed"] == 0
    assert second["timing"]["model_stored"] == QUESTIONS
    assert {**first, "timing": 0} == {**second, "timing": 0}
    tiny_llama(pytester.path / "tuned", seed=3)
    _, third = run(pytester, "--model=./tuned", "--baseline=./base")
    assert third["timing"]["model_computed"] == QUESTIONS
    assert answers(third, "model") != answers(first, "model")


def test_a_stored_run_imports_nothing_heavy(pytester: pytest.Pytester, base: Path) -> None:
    """Where every answer is stored, even an adapter's verdict needs neither torch nor transformers nor peft."""
    adapter = tiny_adapter(pytester.path / "adapter", base)
    pytester.makeconftest(
        "import sys\n"
        "def pytest_unconfigure():\n"
        "    print('heavy:', sorted({'torch', 'transformers', 'peft'} & set(sys.modules)))\n"
    )
    command = (f"--model={adapter}", f"--baseline={base}", "--device=cpu", "s.yaml")
    first = pytester.runpytest_subprocess(*command)
    first.stdout.fnmatch_lines(["heavy: [[]'peft', 'torch', 'transformers']"])
    pytester.runpytest_subprocess(*command).stdout.fnmatch_lines(["heavy: [[]]"])


def test_only_an_adapter_needs_peft(pytester: pytest.Pytester, base: Path) -> None:
    """It takes seconds to import, and most pairs are two checkpoints."""
    pytester.makeconftest("import sys\ndef pytest_unconfigure():\n    print('peft' in sys.modules)\n")
    result = pytester.runpytest_subprocess(f"--model={base}", f"--baseline={base}", "--device=cpu", "s.yaml")
    result.stdout.fnmatch_lines(["False"])


def test_a_model_that_fails_while_it_is_asked_exits_3(pytester: pytest.Pytester, base: Path) -> None:
    """A tokenizer with a token that the embeddings lack: one line says so, and nothing is called forgotten."""
    broken = shutil.copytree(base, pytester.path / "broken")
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens(["number"])
    tokenizer.save_pretrained(broken)
    result, _ = run(pytester, "--model=./broken", "--baseline=./base")
    assert result.ret == 3
    result.stdout.fnmatch_lines(["*./broken failed while it was asked: IndexError: index out of range in self*"])
    assert "Traceback" not in result.stdout.str()


def test_the_store_is_off_on_request(pytester: pytest.Pytester, base: Path) -> None:
    """With `--forgetting-no-store` every run asks, and says the same at another batch size."""
    options = ("--model=./base", "--baseline=./base", "--forgetting-no-store")
    _, one = run(pytester, *options, "--batch-size=1")
    _, seven = run(pytester, *options, "--batch-size=7")
    assert one["timing"]["model_computed"] + one["timing"]["baseline_computed"] >= QUESTIONS
    assert answers(one, "model") == answers(seven, "model")


def test_an_adapter_is_compared_with_its_own_base(pytester: pytest.Pytester, base: Path) -> None:
    """`--model ./adapter` alone: the baseline's answers are those of the base by itself, the adapter's are others."""
    tiny_adapter(pytester.path / "adapter", base)
    _, report = run(pytester, "--model=./adapter")
    _, alone = run(pytester, "--model=./base", "--baseline=./base", "--forgetting-no-store")
    assert answers(report, "baseline") == answers(alone, "model")
    assert answers(report, "model") != answers(report, "baseline")


def test_a_folder_named_base_is_a_baseline_only_if_named(pytester: pytest.Pytester, base: Path) -> None:
    """An adapter by itself is compared with the base that it records, whatever else lies here."""
    known = tiny_llama(pytester.path / "known", seed=9)
    tiny_adapter(pytester.path / "adapter", known)
    for options, wanted in (((), known), (("--baseline=base",), base)):
        _, report = run(pytester, "--model=./adapter", *options)
        assert report["baseline"]["fingerprint"] == resolve(str(wanted)).fingerprint


def test_an_adapter_without_effect_measures_nothing(pytester: pytest.Pytester, base: Path) -> None:
    """An adapter of zeros is INCONCLUSIVE and exit 1, also when all answers come from the store."""
    tiny_adapter(pytester.path / "adapter", base, randomise=False)
    for _ in range(2):
        result, report = run(pytester, "--model=./adapter")
        assert result.ret == 1
        assert report["decision"] == "inconclusive"
        result.stdout.fnmatch_lines(
            ["fatal: the adapter changes no logit*", "*INCONCLUSIVE  the adapter changes nothing*"]
        )


def test_workers_share_one_pass(pytester: pytest.Pytester, base: Path) -> None:
    """Under xdist every answer is computed once in all workers together, and the report is the same."""
    tiny_llama(pytester.path / "tuned", seed=2)
    _, together = run(pytester, "--model=./tuned", "--baseline=./base", "-n", "2", "--forgetting-no-store")
    _, alone = run(pytester, "--model=./tuned", "--baseline=./base", "--forgetting-no-store")
    assert together["timing"]["model_computed"] == QUESTIONS
    assert {**together, "timing": 0} == {**alone, "timing": 0}


def test_the_store_is_private_to_the_user(pytester: pytest.Pytester, base: Path) -> None:
    """Folder and file are readable by nobody else."""
    run(pytester, "--model=./base", "--baseline=./base")
    modes = [(pytester.path / name).stat().st_mode & 0o777 for name in ("store", "store/answers.sqlite")]
    assert modes == [0o700, 0o600]


def test_a_corrupt_store_costs_time_and_no_answer(pytester: pytest.Pytester, base: Path) -> None:
    """It is set aside and begun anew, and the report says so."""
    run(pytester, "--model=./base", "--baseline=./base")
    (pytester.path / "store/answers.sqlite").write_bytes(b"no database at all" * 100)
    result, report = run(pytester, "--model=./base", "--baseline=./base")
    assert result.ret == 0
    assert report["timing"]["model_computed"] + report["timing"]["baseline_computed"] == QUESTIONS
    result.stdout.fnmatch_lines(
        ["warning: the answer store could not be read*; it was set aside as answers.set-aside-*"]
    )


def test_stopping_early_saves_the_work(pytester: pytest.Pytester, base: Path) -> None:
    """With `-x` answers are asked in windows, so that a case that fails at once ends it there."""
    tiny_llama(pytester.path / "tuned", seed=2)
    rows = [
        f"  - {{id: c{n}, test: T, prompt: 'n {n}', require: pass, checks: [equals: nothing]}}\n" for n in range(80)
    ]
    (pytester.path / "s.yaml").write_text("forgetting: checklist\nmax_new_tokens: 4\ncases:\n" + "".join(rows))
    _, report = run(pytester, "--model=./tuned", "--baseline=./base", "-x")
    assert report["timing"]["model_computed"] == 32


def test_answers_are_recorded_and_compared_with(pytester: pytest.Pytester, base: Path) -> None:
    """A recording of the baseline stands in for it: the model alone is loaded."""
    tiny_llama(pytester.path / "tuned", seed=2)
    assert run(pytester, "--baseline=./base", "--forgetting-record=base.json")[0].ret == 0
    shutil.move(base, pytester.path / "gone")
    _, report = run(pytester, "--model=./tuned", "--baseline=base.json")
    assert report["timing"]["baseline_computed"] == 0
    assert all(answers(report, "baseline"))


def test_suites_of_one_name_in_two_folders_share_a_recording(pytester: pytest.Pytester, base: Path) -> None:
    """A recording knows suites by name; two files may have the same one."""
    for name in ("a", "b"):
        folder = pytester.mkdir(name)
        (folder / "qa.yaml").write_text(f"forgetting: qa\ncases:\n  - {{prompt: {name}, answer: '.', match: regex}}\n")
    run(pytester, "--baseline=./base", "--forgetting-record=both.json", "a", "b")
    result, report = run(pytester, "--model=both.json", "--baseline=both.json", "a", "b")
    assert result.ret == 0
    assert len(report["cases"]) == QUESTIONS + 2


def test_a_full_checkpoint_needs_a_baseline(pytester: pytest.Pytester, base: Path) -> None:
    """Nothing is guessed: exit 4, and the message names the option."""
    result, _ = run(pytester, "--model=./base")
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        ["ERROR: --model ./base is no adapter: name the model it was tuned from, --baseline REF"]
    )


def test_an_encoder_decoder_is_refused(pytester: pytest.Pytester, base: Path) -> None:
    """A T5 is no causal language model: exit 3 or 4, one line, no traceback."""
    T5ForConditionalGeneration(
        T5Config(vocab_size=8, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2)
    ).save_pretrained(pytester.path / "t5")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(base / name, pytester.path / "t5" / name)
    result, _ = run(pytester, "--model=./t5", "--baseline=./base")
    assert result.ret in (3, 4)
    output = result.stdout.str() + result.stderr.str()
    assert "encoder-decoder" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("options", [(), ("-n", "2"), ("-x",)])
def test_weights_that_do_not_load_exit_3(pytester: pytest.Pytester, base: Path, options: tuple[str, ...]) -> None:
    """Damaged weights are no forgetting: exit 3, told in words, with xdist and with windows alike."""
    tiny_llama(pytester.path / "tuned", seed=2)
    weights = pytester.path / "tuned" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    result, report = run(pytester, "--model=./tuned", "--baseline=./base", *options)
    output = result.stdout.str() + result.stderr.str()
    assert result.ret == 3, output
    assert report == {}
    assert "model.safetensors" in output
    assert "Traceback" not in output


def test_a_model_that_answers_nothing_is_never_green(pytester: pytest.Pytester, base: Path) -> None:
    """NaN weights leave every case unanswered, which is INCONCLUSIVE and exit 1."""
    from safetensors.torch import load_file, save_file

    tiny_llama(pytester.path / "tuned", seed=2)
    path = pytester.path / "tuned" / "model.safetensors"
    save_file({k: torch.full_like(v, float("nan")) for k, v in load_file(path).items()}, path, {"format": "pt"})
    result, report = run(pytester, "--model=./tuned", "--baseline=./base")
    assert result.ret == 1
    assert report["suites"][0]["unanswered"] == QUESTIONS
