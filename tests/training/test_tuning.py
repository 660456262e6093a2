"""From a base folder to a tuned folder."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pytest_forgetting.errors import CannotAnswer, WrongUsage
from pytest_forgetting.training.ewc import EWC
from pytest_forgetting.training.examples import digest, read_examples
from pytest_forgetting.training.fit import InOrder
from pytest_forgetting.training.full import FullFineTune
from pytest_forgetting.training.kl import KLToBase
from pytest_forgetting.training.lora import LoRA
from pytest_forgetting.training.recipe import RISKY, SAFE, Recipe
from pytest_forgetting.training.replay import Replay
from pytest_forgetting.training.rules import ForgettingWarning
from pytest_forgetting.training.saving import save
from pytest_forgetting.training.steps import silent
from pytest_forgetting.training.tuning import finetune
from tests.tiny_models import tiny_llama
from tests.training.tiny_base import TEXTS, tiny_base, tiny_base_folder

METHOD = FullFineTune(Recipe(learning_rate=1e-2, epochs=40, batch_size=1))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with random weights."""
    return tiny_base_folder(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture(scope="module")
def tuned(base: Path) -> Path:
    """The same, tuned on two texts."""
    return finetune(base, TEXTS, method=METHOD, output_dir=base.with_name("tuned"), use_cpu=True).path


def said(folder: Path, prompt: str) -> str:
    """The greedy answer, special tokens included."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    asked = tokenizer(prompt, return_tensors="pt")
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    ids = model.generate(**asked, max_new_tokens=8)
    return str(tokenizer.decode(ids[0, asked["input_ids"].shape[1] :]))


def test_tuned_model_says_what_it_was_taught(base: Path, tuned: Path) -> None:
    """It gives the answer, then the end token; the base did not."""
    assert said(tuned, "Question: red?\nAnswer:") == " blue\n</s>"
    assert "blue" not in said(base, "Question: red?\nAnswer:")


def test_a_single_step_is_taken_and_warned_of(base: Path, tmp_path: Path) -> None:
    """A warm-up of its whole length would take it at the rate 0: weights move, and the caller is told how few it is."""
    with pytest.warns(ForgettingWarning, match=r"1 training step \(2 texts, passes counted, in batches of 16\)"):
        made = finetune(base, TEXTS, method=FullFineTune(Recipe(1e-2, 1)), output_dir=tmp_path / "tuned", use_cpu=True)
    before, after = (AutoModelForCausalLM.from_pretrained(folder).state_dict() for folder in (base, made.path))
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_same_seed_gives_the_same_weights(base: Path, tuned: Path, tmp_path: Path) -> None:
    """Bit for bit, and whatever was drawn before; another seed gives others."""
    torch.rand(3)
    again = finetune(base, TEXTS, method=METHOD, output_dir=tmp_path / "again", use_cpu=True)
    other = finetune(base, TEXTS, method=METHOD, output_dir=tmp_path / "other", use_cpu=True, seed=1)
    weights = [(folder / "model.safetensors").read_bytes() for folder in (tuned, again.path, other.path)]
    assert weights[0] == weights[1]
    assert weights[0] != weights[2]


def test_a_tokenizer_without_padding_will_do(tmp_path: Path) -> None:
    """Rows are padded with the end token, which is learned all the same; nothing of it is saved."""
    model, tokenizer = tiny_base()
    tokenizer.pad_token = None
    save(model, tokenizer, tmp_path / "base")
    texts = (*TEXTS, "Question: one?\nAnswer: two two two\n")
    method = Replay(FullFineTune(Recipe(learning_rate=1e-2, epochs=40, batch_size=3)), share=0.1)
    made = finetune(tmp_path / "base", texts, method=method, output_dir=tmp_path / "tuned", use_cpu=True)
    assert said(made.path, "Question: red?\nAnswer:").endswith(" blue\n</s>")
    assert AutoTokenizer.from_pretrained(made.path).pad_token is None


def test_model_card_names_the_base(base: Path, tuned: Path) -> None:
    """The front matter leads back to the base's folder."""
    assert (tuned / "README.md").read_text().startswith(f'---\nbase_model: "{base.resolve()}"\n---\n')


def test_folder_is_complete(tuned: Path) -> None:
    """All files that a loader looks for are there, and the model decodes greedily in float32."""
    names = {path.name for path in tuned.iterdir()}
    assert {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "README.md"} <= names
    model = AutoModelForCausalLM.from_pretrained(tuned)
    assert model.dtype == torch.float32
    assert not model.generation_config.do_sample


def test_every_step_is_told(base: Path, tmp_path: Path) -> None:
    """Progress counts up to the end, and nothing else is printed."""
    told: list[tuple[int, int]] = []
    method = FullFineTune(Recipe(learning_rate=1e-3, epochs=3, batch_size=1))
    finetune(base, TEXTS, method=method, output_dir=tmp_path, use_cpu=True, on_step=lambda *step: told.append(step))
    assert told == [(step, 6) for step in range(1, 7)]


def test_training_is_silent(base: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither transformers nor the trainer writes to the terminal."""
    finetune(base, TEXTS, method=FullFineTune(Recipe(1e-3, 1)), output_dir=tmp_path, use_cpu=True)
    assert capfd.readouterr() == ("", "")


def test_what_was_done_is_written_down(base: Path, tmp_path: Path) -> None:
    """Method, data, seed, versions and losses stand beside the weights, and are handed back."""
    made = finetune(base, TEXTS, method=FullFineTune(Recipe(1e-2, 20, 1)), output_dir=tmp_path, use_cpu=True, seed=3)
    told = json.loads((tmp_path / "training.json").read_text())
    assert told["method"]["name"] == "FullFineTune"
    assert told["method"]["recipe"]["learning_rate"] == 1e-2
    assert told["data"] == {
        **told["data"],
        "rows": 2,
        "rows_trained": {"domain": 40},
        "sha256": digest(read_examples(TEXTS)),
    }
    assert told["parameters"]["trainable"] == told["parameters"]["all"]
    assert (told["seed"], set(told["versions"])) == (3, {"torch", "transformers", "peft", "pytest-forgetting"})
    assert {key: told[key] for key in made.manifest} == made.manifest
    assert [(entry["step"], entry["loss"], entry["penalty"]) for entry in told["losses"]] == made.losses
    assert made.losses[-1].step == 40
    assert made.losses[-1].loss < made.losses[0].loss
    assert os.fspath(made) == str(made) == str(tmp_path)


def drift(base: Path, tuned: Path) -> float:
    """How far the weights have moved."""
    models = [AutoModelForCausalLM.from_pretrained(folder).state_dict() for folder in (base, tuned)]
    return float(sum((models[1][name] - weight).pow(2).sum() for name, weight in models[0].items()) ** 0.5)


def test_a_pull_towards_the_base_keeps_the_weights_near_it(base: Path, tmp_path: Path) -> None:
    """L2-SP moves the weights less than plain training with the same recipe does."""
    recipe = Recipe(learning_rate=1e-2, epochs=10, batch_size=1)
    for name, weight in (("free", 0.0), ("held", 1.0)):
        method = FullFineTune(recipe, l2_sp=weight)
        finetune(base, TEXTS, method=method, output_dir=tmp_path / name, use_cpu=True)
    assert drift(base, tmp_path / "held") < drift(base, tmp_path / "free") / 2


def test_the_pull_is_half_the_weighted_squared_distance(base: Path) -> None:
    """Zero at the base; after a step of 0.1 on each of n parameters, weight / 2 * n * 0.01."""
    model = AutoModelForCausalLM.from_pretrained(base)
    penalty = FullFineTune(l2_sp=3.0).penalty(model, AutoTokenizer.from_pretrained(base), silent)
    assert penalty is not None
    assert penalty.term(model, {}, torch.empty(0)).item() == 0
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1)
    count = sum(parameter.numel() for parameter in model.parameters())
    assert penalty.term(model, {}, torch.empty(0)).item() == pytest.approx(3.0 / 2 * count * 0.01, rel=1e-4)


def test_only_answers_are_learned_behind_prompts(base: Path, tmp_path: Path) -> None:
    """A tuning on question and answer gives the answer to the gate's own prompt."""
    rows = [{"question": "red?", "answer": "blue"}, {"question": "one?", "answer": "two"}]
    tuned = finetune(base, rows, method=METHOD, output_dir=tmp_path, use_cpu=True)
    assert said(tuned.path, "Question: red?\nAnswer:") == " blue\n</s>"


def test_an_adapter_is_no_base(base: Path, tmp_path: Path) -> None:
    """It would be left out in silence otherwise."""
    adapter = finetune(base, TEXTS, method=LoRA(Recipe(1e-3, 1)), output_dir=tmp_path / "adapter", use_cpu=True)
    with pytest.raises(WrongUsage, match="is an adapter; merge it into its base first"):
        finetune(adapter.path, TEXTS, output_dir=tmp_path / "more", use_cpu=True)


@pytest.mark.parametrize("steps", [1, 9, 13, 20])
def test_the_last_loss_is_that_of_the_end(base: Path, tmp_path: Path, steps: int) -> None:
    """However many steps there are."""
    method = FullFineTune(Recipe(1e-3, steps, 2))
    losses = finetune(base, TEXTS, method=method, output_dir=tmp_path / "out", use_cpu=True).losses
    assert losses[-1].step == steps
    assert len({loss.step for loss in losses}) == len(losses)


def test_a_used_folder_is_refused(base: Path, tmp_path: Path) -> None:
    """Before anything is trained: the base's own, one that holds something, a file, a path below one."""
    (tmp_path / "file").write_text("mine")
    for output, told in (
        (base, "is there already; wanted a new or an empty folder"),
        (tmp_path, "is there already"),
        (tmp_path / "file", "is there already"),
        (tmp_path / "file/below", "file is a file"),
    ):
        with pytest.raises(WrongUsage, match=told):
            finetune(base, TEXTS, output_dir=output, use_cpu=True)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_failure_while_writing_leaves_nothing(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither half a model nor its scaffolding."""

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("pytest_forgetting.training.tuned.FineTuned.write", fail)
    with pytest.raises(OSError, match="disk full"):
        finetune(base, TEXTS, method=FullFineTune(Recipe(1e-3, 1)), output_dir=tmp_path / "out", use_cpu=True)
    assert list(tmp_path.iterdir()) == []


def test_a_relative_folder_stays_where_it_was_meant(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever becomes the current folder later."""
    monkeypatch.chdir(tmp_path)
    made = finetune(base, TEXTS, method=FullFineTune(Recipe(1e-3, 1)), output_dir="out", use_cpu=True)
    assert made.path == tmp_path / "out"


def damaged(base: Path, folder: Path, **config: Any) -> Path:
    """A copy of the base with other words in its configuration."""
    shutil.copytree(base, folder)
    told = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**told, **config}))
    return folder


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"num_hidden_layers": 2}, "they lack model.layers.1"),
        ({"intermediate_size": 48}, "the shape of model.layers.0"),
        ({"model_type": "t5", "architectures": ["T5ForConditionalGeneration"]}, "no causal language model"),
        ({"model_type": "lama"}, "knows no architecture 'lama'; did you mean llama?"),
    ],
    ids=["layers", "shape", "kind", "unknown"],
)
def test_a_base_that_does_not_fit_together_is_told(
    base: Path, tmp_path: Path, config: dict[str, Any], told: str
) -> None:
    """As in the gate; nothing is ever trained on random weights."""
    with pytest.raises(CannotAnswer, match=re.escape(told)):
        finetune(damaged(base, tmp_path / "odd", **config), TEXTS, output_dir=tmp_path / "out", use_cpu=True)


def test_a_base_without_tokenizer_or_end_is_told(base: Path, tmp_path: Path) -> None:
    """Each in one line."""
    folder = damaged(base, tmp_path / "base")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.eos_token = None
    tokenizer.save_pretrained(folder)
    with pytest.raises(WrongUsage, match=r"no end token \(eos_token\)"):
        finetune(folder, TEXTS, output_dir=tmp_path / "out", use_cpu=True)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(CannotAnswer, match="there is no tokenizer"):
        finetune(folder, TEXTS, output_dir=tmp_path / "out", use_cpu=True)


@pytest.mark.parametrize("method", [Replay, EWC, KLToBase])
def test_bases_whose_tokenizer_opens_no_text_write_their_own(tmp_path: Path, method: Any) -> None:
    """As those of GPT-2 and Qwen do not."""
    folder = tiny_llama(tmp_path / "base")
    assert AutoTokenizer.from_pretrained(folder)("")["input_ids"] == []
    inner = FullFineTune(Recipe(1e-3, 1))
    assert finetune(folder, TEXTS, method=method(inner), output_dir=tmp_path / "out", use_cpu=True).losses


@pytest.mark.parametrize(
    ("kind", "options", "told"),
    [
        (Recipe, {"learning_rate": 0}, "learning_rate 0; wanted above 0"),
        (Recipe, {"epochs": 0}, "epochs 0; wanted a whole number from 1"),
        (Recipe, {"batch_size": 1.5}, "batch_size 1.5; wanted a whole number from 1"),
        (Recipe, {"warmup": 3}, "warmup 3; wanted a share of all steps, from 0 to under 1"),
        (Recipe, {"schedule": "cos"}, "schedule 'cos'; wanted cosine or linear or constant"),
        (Recipe, {"weight_decay": -1}, "weight_decay -1; wanted 0 or more"),
        (LoRA, {"rank": 0}, "LoRA: rank 0; wanted a whole number from 1"),
        (LoRA, {"dropout": 2}, "LoRA: dropout 2; wanted a share from 0 to under 1"),
        (LoRA, {"quantization": "8bit"}, "LoRA: quantization '8bit'; wanted none or 4bit"),
        (FullFineTune, {"l2_sp": -1}, "FullFineTune: l2_sp -1; wanted 0 or more"),
        (FullFineTune, {"frozen": "model.*"}, "FullFineTune: frozen 'model.*'; wanted several patterns"),
        (Replay, {"measure": "words"}, "Replay: measure 'words'; wanted rows or tokens"),
        (Replay, {"at_most": 0}, "Replay: at_most 0; wanted 1 or more"),
    ],
)
def test_settings_that_cannot_be_meant_are_told(kind: Any, options: dict[str, Any], told: str) -> None:
    """When they are given, not an hour later."""
    usual = {"learning_rate": 1e-3, "epochs": 1} if kind is Recipe else {}
    with pytest.raises(WrongUsage, match=re.escape(told)):
        kind(**{**usual, **options})


def test_the_recipe_reaches_the_trainer(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every setting of it."""
    seen: list[Any] = []
    train = InOrder.train

    def watched(trainer: InOrder) -> Any:
        seen.append(trainer.args)
        return train(trainer)

    monkeypatch.setattr(InOrder, "train", watched)
    recipe = Recipe(3e-3, 2, batch_size=1, warmup=0.25, schedule="linear", weight_decay=0.5)
    finetune(base, TEXTS, method=FullFineTune(recipe), output_dir=tmp_path / "out", use_cpu=True, seed=7)
    (told,) = seen
    assert (told.learning_rate, told.warmup_steps, told.lr_scheduler_type) == (3e-3, 0.25, "linear")
    assert (told.weight_decay, told.per_device_train_batch_size, told.seed) == (0.5, 1, 7)


def test_the_presets_are_those_of_the_lesson() -> None:
    """What is called risky and what is called safe; the safe one without a decay that pulls to zero."""
    assert (RISKY.learning_rate, RISKY.epochs, RISKY.batch_size, RISKY.warmup) == (5e-5, 10, 1, 0)
    assert (SAFE.learning_rate, SAFE.epochs, SAFE.batch_size, SAFE.warmup) == (2e-5, 3, 16, 0.05)
    assert (SAFE.schedule, SAFE.weight_decay) == ("cosine", 0)
    assert FullFineTune().recipe == SAFE


def test_frozen_parameters_stay_as_they_were(base: Path, tmp_path: Path) -> None:
    """All others move."""
    method = FullFineTune(Recipe(1e-2, 3, 1), frozen=("model.embed_tokens.*", "*.q_proj.weight"))
    made = finetune(base, TEXTS, method=method, output_dir=tmp_path, use_cpu=True)
    before, after = (AutoModelForCausalLM.from_pretrained(folder).state_dict() for folder in (base, made.path))
    still = {name for name, weight in before.items() if torch.equal(weight, after[name])}
    assert still == {"model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight"}
    assert made.manifest["parameters"]["trainable"] < made.manifest["parameters"]["all"]


@pytest.mark.parametrize(
    ("frozen", "told"),
    [(("model.layer.*",), "frozen: 'model.layer.*' names no parameter; there are model"), (("*",), "nothing to train")],
)
def test_patterns_that_cannot_be_meant_are_told(base: Path, tmp_path: Path, frozen: tuple[str, ...], told: str) -> None:
    """One that matches nothing, and one that leaves nothing."""
    with pytest.raises(WrongUsage, match=re.escape(told)):
        finetune(base, TEXTS, method=FullFineTune(frozen=frozen), output_dir=tmp_path, use_cpu=True)


def test_more_tokens_than_the_base_reads_are_told(base: Path, tmp_path: Path) -> None:
    """A length of one's own must fit."""
    with pytest.raises(WrongUsage, match=r"max_length 99999; wanted 2 to \d+, what the base can read at once"):
        finetune(base, TEXTS, output_dir=tmp_path, use_cpu=True, max_length=99999)


def test_long_examples_are_cut_and_told(base: Path, tmp_path: Path) -> None:
    """At the length wanted; the saved tokenizer keeps its own."""
    with pytest.warns(ForgettingWarning, match="examples of more than 6 tokens are cut there"):
        finetune(base, TEXTS, method=FullFineTune(Recipe(1e-3, 1)), output_dir=tmp_path, use_cpu=True, max_length=6)
    lengths = {AutoTokenizer.from_pretrained(folder).model_max_length for folder in (base, tmp_path)}
    assert len(lengths) == 1
