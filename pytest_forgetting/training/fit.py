"""One training run on `transformers.Trainer`, as quiet and as repeatable as it can be."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence, Sized
from typing import Any, cast

from torch.utils.data import SequentialSampler
from transformers import (
    DataCollatorForSeq2Seq,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from pytest_forgetting.training.ordering import batched
from pytest_forgetting.training.recipe import Recipe
from pytest_forgetting.training.rows import rows
from pytest_forgetting.training.steps import OnStep, silent


class InOrder(Trainer):
    """Takes the rows as they come; their order is already drawn."""

    def _get_train_sampler(self, *_: Any) -> SequentialSampler:
        return SequentialSampler(cast("Sized", self.train_dataset))


class StepTeller(TrainerCallback):
    """Hands the trainer's progress to whoever shows it."""

    def __init__(self, on_step: OnStep) -> None:
        """Call `on_step` after each step."""
        self._on_step = on_step

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """One more step is done."""
        del args, control
        self._on_step(state.global_step, state.max_steps)


def fit(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    passes: Sequence[Sequence[str]],
    recipe: Recipe,
    *,
    seed: int,
    use_cpu: bool = False,
    on_step: OnStep = silent,
) -> None:
    """Train `model` in place on the texts of each of `passes`, whole texts with their ends.

    The order within a pass draws on Python's random state. A pass may hold other texts than the one before it.
    """
    ordered = [row for texts in passes for row in batched(rows(tokenizer, texts), recipe.batch_size)]
    with tempfile.TemporaryDirectory(prefix="pytest-forgetting-") as scratch:
        trainer = InOrder(
            model=model,
            args=_arguments(recipe, scratch, seed, use_cpu),
            train_dataset=ordered,
            data_collator=DataCollatorForSeq2Seq(tokenizer),
            callbacks=[StepTeller(on_step)],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    model.train(False)


def _arguments(recipe: Recipe, scratch: str, seed: int, use_cpu: bool) -> TrainingArguments:
    return TrainingArguments(
        output_dir=scratch,
        learning_rate=recipe.learning_rate,
        num_train_epochs=1,
        per_device_train_batch_size=recipe.batch_size,
        warmup_steps=recipe.warmup,
        lr_scheduler_type="cosine",
        weight_decay=recipe.weight_decay,
        seed=seed,
        use_cpu=use_cpu,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
