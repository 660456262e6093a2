"""One training run on `transformers.Trainer`, as quiet and as repeatable as it can be."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import Any

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

from .recipe import Recipe
from .rows import rows
from .steps import OnStep, silent


class StepTeller(TrainerCallback):
    """Hands the trainer's progress to whoever shows it."""

    def __init__(self, on_step: OnStep) -> None:
        """Call `on_step` after each step."""
        self._on_step = on_step

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """One more step is done."""
        self._on_step(state.global_step, state.max_steps)


def fit(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    recipe: Recipe,
    *,
    seed: int,
    use_cpu: bool = False,
    on_step: OnStep = silent,
) -> None:
    """Train `model` in place on `texts`, each once and in an order drawn by `seed`, whole texts with their ends.

    `texts` holds those of every pass, so that a pass may differ from the one before it; `recipe.epochs` has
    been counted in by then.
    """
    with tempfile.TemporaryDirectory(prefix="pytest-forgetting-") as scratch:
        trainer = Trainer(
            model=model,
            args=_arguments(recipe, scratch, seed, use_cpu),
            train_dataset=rows(tokenizer, texts),
            data_collator=DataCollatorForSeq2Seq(tokenizer),
            callbacks=[StepTeller(on_step)],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    model.eval()


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
