"""The gate inside a real `Trainer`, on a tiny real model."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Trainer, TrainerCallback, TrainingArguments

from pytest_forgetting import ForgettingCallback, WrongUsage, check, compare
from pytest_forgetting.training.reproducible import reproducible
from tests.given_models import PROMPTS, greedy, loaded, with_adapter
from tests.tiny_models import tiny_llama

TEXTS = ["Aspirin is an NSAID.", "Ibuprofen is an NSAID too.", "Take it with food.", "Ask a doctor."]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's folder."""
    return tiny_llama(tmp_path_factory.mktemp("callback") / "base", seed=1)


@pytest.fixture(scope="module")
def cases(base: Path) -> list[dict[str, Any]]:
    """What the base says, word for word: the first change of its mind is a loss."""
    said = greedy(*loaded(base), PROMPTS, 50)
    pairs = enumerate(zip(PROMPTS, said, strict=True))
    return [{"prompt": prompt, "answer": text, "match": "exact", "id": f"c{n}"} for n, (prompt, text) in pairs]


def trainer(base: Path, folder: Path, *callbacks: TrainerCallback, model: Any = None, **arguments: Any) -> Trainer:
    """Sixteen steps on four texts, at a rate that overwrites everything soon."""
    own, tokenizer = loaded(base)
    rows = [{"input_ids": ids, "labels": ids} for ids in (tokenizer(text)["input_ids"] for text in TEXTS)]
    options: dict[str, Any] = {
        "max_steps": 16,
        "learning_rate": 1e-4,
        "per_device_train_batch_size": 1,
        "logging_steps": 4,
        "save_strategy": "no",
        "use_cpu": True,
        "report_to": "none",
        "disable_tqdm": True,
        "lr_scheduler_type": "constant",
        **arguments,
    }
    args = TrainingArguments(output_dir=str(folder), **options)
    return Trainer(
        model=model or own,
        args=args,
        train_dataset=rows,
        processing_class=tokenizer,
        callbacks=list(callbacks),
    )


def figures(trained: Trainer) -> list[Mapping[str, Any]]:
    """What the callback logged."""
    return [entry for entry in trained.state.log_history if "forgetting/drop" in entry]


def weights(model: Any) -> dict[str, torch.Tensor]:
    """A copy."""
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def test_training_stops_at_the_step_where_the_gate_turns(base: Path, cases: Any, tmp_path: Path) -> None:
    """Before it every look passes; the comparison at hand is the one that failed, and is what `compare` says."""
    callback = ForgettingCallback(cases, every=2, max_drop=0.5)
    run = trainer(base, tmp_path, callback)
    run.train()
    told = figures(run)
    assert [entry["step"] for entry in told] == list(range(2, run.state.global_step + 1, 2))
    assert [entry["forgetting/passed"] for entry in told] == [1.0] * (len(told) - 1) + [0.0]
    assert all(entry["forgetting/drop"] <= 0.5 for entry in told[:-1])
    assert told[-1]["forgetting/drop"] > 0.5
    assert run.state.global_step < 16
    assert callback.comparison is not None
    assert callback.comparison.accuracy_drop == pytest.approx(told[-1]["forgetting/drop"], abs=1e-6)
    again = compare(model=(run.model, loaded(base)[1]), baseline=base, suites=cases)
    assert again.accuracy_drop == callback.comparison.accuracy_drop


def test_without_stop_it_only_tells(base: Path, cases: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """In the log, with the reason; the end is looked at even where it is no multiple of `every`."""
    callback = ForgettingCallback(cases, every=5, max_drop=0.1, stop=False)
    run = trainer(base, tmp_path, callback)
    with caplog.at_level(logging.WARNING, "pytest_forgetting"):
        run.train()
    assert [entry["step"] for entry in figures(run)] == [5, 10, 15, 16]
    assert run.state.global_step == 16
    assert "forgetting, step 16: cases: accuracy dropped" in caplog.text


@pytest.mark.parametrize("arguments", [{}, {"gradient_accumulation_steps": 3}, {"bf16": True}], ids=str)
def test_the_weights_are_those_of_a_training_without_it(
    base: Path, cases: Any, tmp_path: Path, arguments: dict[str, Any]
) -> None:
    """Bit by bit, dropout and all: no random number is taken, no mode left changed."""
    folder = tiny_llama(tmp_path / "dropping", seed=1, attention_dropout=0.2)
    trained = []
    for callbacks in ([], [ForgettingCallback(cases, every=1, stop=False)]):
        with reproducible(7):
            run = trainer(folder, tmp_path / "out", *callbacks, max_steps=6, **arguments)
            run.train()
        trained.append(weights(run.model))
        if callbacks:
            assert [entry["step"] for entry in figures(run)] == [1, 2, 3, 4, 5, 6]
    assert all(torch.equal(trained[0][name], trained[1][name]) for name in trained[0])


def test_the_baseline_of_an_adapter_is_its_base(base: Path, cases: Any, tmp_path: Path) -> None:
    """Also where an adapter that was trained before is trained on."""
    callback = ForgettingCallback(cases, every=4, stop=False)
    run = trainer(base, tmp_path, callback, model=with_adapter(loaded(base)[0]), max_steps=4)
    run.train()
    assert callback.comparison is not None
    assert callback.comparison.baseline_accuracy == 1
    # The run has a model.
    assert all(parameter.requires_grad == ("lora_" in name) for name, parameter in run.model.named_parameters())  # type: ignore[union-attr]


def test_another_baseline_may_be_named(base: Path, cases: Any, tmp_path: Path) -> None:
    """A reference, as on the command line: here one that knows nothing of this."""
    other = tiny_llama(tmp_path / "other", seed=5)
    callback = ForgettingCallback(cases, every=4, stop=False, baseline=other)
    trainer(base, tmp_path / "out", callback, max_steps=4).train()
    assert callback.comparison is not None
    assert callback.comparison.baseline.ref == other.name
    assert callback.comparison.baseline_accuracy < 1


def test_trackers_hear_of_it(base: Path, cases: Any, tmp_path: Path) -> None:
    """Attached to a trainer, the callback logs to all that the trainer logs to."""
    heard: list[dict[str, Any]] = []

    class Tracker(TrainerCallback):
        """Stands before ours, as those of `report_to` do."""

        def on_log(self, args: Any, state: Any, control: Any, **more: Any) -> None:  # noqa: ARG002 - as it is called
            """Remember."""
            heard.append(more["logs"])

    run = trainer(base, tmp_path, Tracker(), max_steps=4, logging_steps=2)
    ForgettingCallback(cases, every=2, stop=False).attach(run)
    run.train()
    assert [sorted(k for k in logs if k.startswith("forgetting")) for logs in heard if "forgetting/drop" in logs] == [
        ["forgetting/cases/drop", "forgetting/drop", "forgetting/forgotten", "forgetting/passed"]
    ] * 2
    assert [entry["step"] for entry in figures(run)] == [2, 4]
    assert [entry["step"] for entry in run.state.log_history if "loss" in entry] == [2, 4]


def test_the_last_good_checkpoint_is_kept(base: Path, cases: Any, tmp_path: Path) -> None:
    """Although the trainer has deleted it; it loads, and passes."""
    callback = ForgettingCallback(cases, every=1, max_drop=0.5)
    run = trainer(base, tmp_path, callback, save_strategy="steps", save_steps=1, save_total_limit=1)
    run.train()
    good = callback.last_good_checkpoint
    assert good == tmp_path / "forgetting" / "good"
    step = json.loads((good.parent / "good.json").read_text())["step"]
    assert step == run.state.global_step - 1
    assert not (tmp_path / f"checkpoint-{step}").exists()
    result = compare(model=good, baseline=base, suites=cases, max_drop=0.5, device="cpu")
    assert result.decision == "pass"


def test_a_kept_checkpoint_is_not_written_into(base: Path, cases: Any, tmp_path: Path) -> None:
    """By a later training in the same folder: what the two share is parted before it begins."""
    saving = {"save_strategy": "steps", "save_steps": 2, "max_steps": 2}
    first = ForgettingCallback(cases, every=2, max_drop=0.9)
    trainer(base, tmp_path, first, **saving).train()
    good = first.last_good_checkpoint
    assert good is not None
    before = {path.name: path.read_bytes() for path in good.iterdir()}
    second = ForgettingCallback(cases, every=2, max_drop=0, stop=False)
    trainer(base, tmp_path, second, **saving, learning_rate=1.0).train()
    assert second.last_good_checkpoint is None
    assert (tmp_path / "checkpoint-2" / "optimizer.pt").read_bytes() != before["optimizer.pt"]
    assert {path.name: path.read_bytes() for path in good.iterdir()} == before


def test_a_resumed_training_knows_the_checkpoint_that_was_kept(base: Path, cases: Any, tmp_path: Path) -> None:
    """One that begins anew in the same folder does not take it for its own."""
    saving = {"save_strategy": "steps", "save_steps": 2}
    trainer(base, tmp_path, ForgettingCallback(cases, every=2, max_drop=0.9), **saving, max_steps=2).train()
    went_on, began = (ForgettingCallback(cases, every=9, max_drop=0, stop=False) for _ in range(2))
    trainer(base, tmp_path, went_on, **saving, max_steps=3).train(resume_from_checkpoint=True)
    assert went_on.last_good_checkpoint == tmp_path / "forgetting" / "good"
    trainer(base, tmp_path, began, **saving, max_steps=1).train()
    assert began.last_good_checkpoint is None


def test_a_look_that_fails_does_not_end_the_training(
    base: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever is to blame for it, such as the author of a check; nothing counts as passed."""
    suite = tmp_path / "list.yaml"
    suite.write_text("forgetting: checklist\ncases:\n  - {id: a, test: a, prompt: Hi, checks: [failing-late]}\n")

    @check("failing-late")
    def failing(_answer: str) -> bool:
        if run.state.global_step > 0:
            raise KeyError("late")
        return True

    callback = ForgettingCallback(suite, every=2)
    saving = {"save_strategy": "steps", "save_steps": 2, "max_steps": 4}
    run = trainer(base, tmp_path / "out", callback, **saving)
    with caplog.at_level(logging.WARNING, "pytest_forgetting"):
        run.train()
    assert run.state.global_step == 4
    assert "forgetting, step 2: not measured: " in caplog.text
    assert "check 'failing-late' raised KeyError" in caplog.text
    assert (callback.comparison, callback.last_good_checkpoint) == (None, None)


def test_a_resumed_training_is_held_to_the_first_baseline(base: Path, cases: Any, tmp_path: Path) -> None:
    """Whose answers lie beside the checkpoints; without them the message says what to name."""
    saving = {"save_strategy": "steps", "save_steps": 4}
    trainer(base, tmp_path, ForgettingCallback(cases, every=4, stop=False), max_steps=4, **saving).train()
    callback = ForgettingCallback(cases, every=4, stop=False)
    trainer(base, tmp_path, callback, max_steps=8, **saving).train(resume_from_checkpoint=True)
    assert callback.comparison is not None
    assert callback.comparison.baseline_accuracy == 1
    (tmp_path / "forgetting" / "baseline.json").unlink()
    with pytest.raises(WrongUsage, match=r"training goes on at step 8, .* name that model, baseline="):
        trainer(base, tmp_path, ForgettingCallback(cases), max_steps=12, **saving).train(resume_from_checkpoint=True)


def test_a_trainer_without_tokenizer_is_told(base: Path, cases: Any, tmp_path: Path) -> None:
    """Before the first step; the callback can be given one."""
    run = trainer(base, tmp_path, ForgettingCallback(cases), max_steps=1)
    run.callback_handler.processing_class = None
    with pytest.raises(WrongUsage, match="the trainer has no tokenizer; give it one"):
        run.train()
    callback = ForgettingCallback(cases, stop=False, tokenizer=loaded(base)[1])
    run = trainer(base, tmp_path, callback, max_steps=1)
    run.callback_handler.processing_class = None
    run.train()
    assert callback.comparison is not None


def test_only_the_first_process_asks(base: Path, cases: Any, tmp_path: Path) -> None:
    """Others neither ask nor write."""
    callback = ForgettingCallback(cases, every=1)
    run = trainer(base, tmp_path, callback, max_steps=1)
    state, control = run.state, run.control
    state.is_world_process_zero, state.global_step = False, 1
    callback.on_train_begin(run.args, state, control, model=run.model)
    callback.on_step_end(run.args, state, control, model=run.model)
    assert callback.comparison is None
    assert not (tmp_path / "forgetting").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"every": 0}, "every: found 0; wanted a whole number of steps above 0"),
        ({"every": 2.5}, "every: found 2.5; wanted a whole number of steps above 0"),
        ({"every": True}, "every: found True; wanted a whole number of steps above 0"),
        ({"stop": "yes"}, "stop: found 'yes'; wanted True or False"),
        ({"max_drop": 3}, "max_drop 3; wanted a share from 0 to 1"),
        ({"model": "./ckpt"}, "there is no option model; it asks the model that the trainer trains"),
        ({"evry": 3}, "compare: there is no option evry"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_told_at_once(options: dict[str, Any], told: str) -> None:
    """Before a model is loaded."""
    with pytest.raises(WrongUsage) as caught:
        ForgettingCallback([{"question": "Why?", "answer": "So"}], **options)
    assert told in str(caught.value)


def test_suites_are_read_at_once() -> None:
    """A path that is not there does not wait for the training to begin."""
    with pytest.raises(WrongUsage, match="nowhere: there is no such file or folder"):
        ForgettingCallback("nowhere")


def test_parts_of_a_model_cannot_be_asked(base: Path, cases: Any, tmp_path: Path) -> None:
    """Under FSDP no process has all weights."""
    callback = ForgettingCallback(cases)
    run = trainer(base, tmp_path, max_steps=1)
    run.args.fsdp = "full_shard"
    with pytest.raises(WrongUsage, match="under FSDP and DeepSpeed ZeRO-3 no process has the whole model"):
        callback.on_train_begin(run.args, run.state, run.control, model=run.model)
