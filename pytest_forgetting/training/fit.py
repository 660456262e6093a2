"""One training run on `transformers.Trainer`, as quiet and as repeatable as it can be."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sized
from math import ceil
from typing import TYPE_CHECKING, Any, cast

from torch.utils.data import SequentialSampler
from transformers import (
    DataCollatorForSeq2Seq,
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from pytest_forgetting.training.method import Passes, Penalty
from pytest_forgetting.training.ordering import batched
from pytest_forgetting.training.recipe import Recipe
from pytest_forgetting.training.rows import rows
from pytest_forgetting.training.rules import ForgettingWarning
from pytest_forgetting.training.steps import OnStep, silent
from pytest_forgetting.training.tuned import Loss

if TYPE_CHECKING:
    import torch

LOG_EVERY = 10
"""Steps that one entry of the loss history stands for."""
FEW_STEPS = 10
"""Fewer are warned of."""


class InOrder(Trainer):
    """Takes the rows as they come; their order is already drawn. Adds a method's penalty to the loss."""

    penalty: Penalty | None = None
    _added: Any = 0.0
    _steps: int = 0

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The loss on the rows, and the penalty."""
        loss, outputs = super().compute_loss(model, inputs, True, num_items_in_batch)
        if self.penalty is not None:
            added = self.penalty.term(self.accelerator.unwrap_model(model), inputs, outputs["logits"])
            loss = loss + added / self.current_gradient_accumulation_steps
            self._added, self._steps = self._added + added.detach(), self._steps + 1
        return (loss, outputs) if return_outputs else loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Tell the penalty beside the loss."""
        if self._steps:
            logs = {**logs, "penalty": float(self._added) / self._steps}
            self._added, self._steps = 0.0, 0
        super().log(logs, start_time)

    def _get_train_sampler(self, *_: Any) -> SequentialSampler:
        return SequentialSampler(cast("Sized", self.train_dataset))


class StepTeller(TrainerCallback):
    """Hands the trainer's progress to whoever shows it."""

    def __init__(self, on_step: OnStep) -> None:
        """Call `on_step` after each step."""
        self._on_step = on_step

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """One more step is done; the last one's loss is logged too."""
        del args
        control.should_log |= state.global_step == state.max_steps
        self._on_step(state.global_step, state.max_steps)


def training_device(use_cpu: bool) -> torch.device:
    """Where `fit` trains."""
    return TrainingArguments(output_dir="nowhere", use_cpu=use_cpu, report_to="none").device


def fit(
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    passes: Passes,
    recipe: Recipe,
    *,
    seed: int,
    use_cpu: bool = False,
    on_step: OnStep = silent,
    penalty: Penalty | None = None,
) -> list[Loss]:
    """Train `model` in place on the examples of each of `passes`, whole examples with their ends.

    The order within a pass draws on Python's random state. A pass may hold other examples than the one before it.

    Returns:
        The losses on the way (mean over some steps, penalty included), by step.
    """
    ordered = [row for examples in passes for row in batched(rows(tokenizer, examples), recipe.batch_size)]
    steps = ceil(len(ordered) / recipe.batch_size)
    _see_enough(steps, len(ordered), recipe)
    with tempfile.TemporaryDirectory(prefix="pytest-forgetting-") as scratch:
        trainer = InOrder(
            model=model,
            args=_arguments(recipe, scratch, seed, use_cpu, warmup=_warmup(recipe, steps)),
            train_dataset=ordered,
            data_collator=DataCollatorForSeq2Seq(tokenizer),
            callbacks=[StepTeller(on_step)],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.penalty = penalty
        trainer.train()
    model.train(False)
    history = [entry for entry in trainer.state.log_history if "loss" in entry]
    return [Loss(int(entry["step"]), entry["loss"], entry.get("penalty", 0.0)) for entry in history]


def _see_enough(steps: int, examples: int, recipe: Recipe) -> None:
    """Warn of a training that is over before it has taught anything."""
    if steps < FEW_STEPS:
        warnings.warn(
            f"{steps} training step{'s' * (steps > 1)} ({examples} texts, passes counted, in batches of"
            f" {recipe.batch_size}) may teach nothing: a smaller batch_size or more epochs make more",
            ForgettingWarning,
            stacklevel=2,
        )


def _warmup(recipe: Recipe, steps: int) -> float:
    """The share of steps to warm up in: none where that is less than a step, which would be taken at the rate 0."""
    return recipe.warmup if recipe.warmup * steps >= 1 else 0.0


def _arguments(recipe: Recipe, scratch: str, seed: int, use_cpu: bool, warmup: float) -> TrainingArguments:
    return TrainingArguments(
        output_dir=scratch,
        learning_rate=recipe.learning_rate,
        num_train_epochs=1,
        per_device_train_batch_size=recipe.batch_size,
        warmup_steps=warmup,
        lr_scheduler_type=recipe.schedule,
        weight_decay=recipe.weight_decay,
        seed=seed,
        use_cpu=use_cpu,
        save_strategy="no",
        logging_strategy="steps",
        logging_steps=LOG_EVERY,
        logging_first_step=True,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
