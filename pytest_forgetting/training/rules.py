"""Rules of thumb for hyperparameters, and who gave them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transformers import TrainingArguments

Kind = Literal["full", "lora", "qlora"]


class ForgettingWarning(UserWarning):
    """A setting that is known to make models forget, or not to learn."""


class Span(NamedTuple):
    """Learning rates that are usual for a kind of tuning."""

    least: float
    most: float
    source: str


RATES: dict[Kind, Span] = {
    "full": Span(1e-5, 2e-5, "usual for full fine-tuning; recent work advises lower still, 1e-6 (arXiv:2509.20758)"),
    "lora": Span(1e-4, 3e-4, "about ten times full fine-tuning's rate (Schulman et al. 2025, LoRA Without Regret)"),
    "qlora": Span(1e-4, 2e-4, "as in QLoRA (Dettmers et al. 2023, arXiv:2305.14314)"),
}
MOST_EPOCHS = 3
"""More passes go on forgetting when there is little left to learn (Kalajdzievski 2024, arXiv:2401.05605)."""


def check_arguments(arguments: TrainingArguments, *, kind: Kind = "full") -> list[str]:
    """Hold training arguments against the rules of thumb, and warn of each that they break.

    Args:
        arguments: of `transformers.Trainer`.
        kind: what is trained with them.

    Returns:
        What was warned of (as `ForgettingWarning`), one sentence each; empty where all is usual.
    """
    found = list(_odd(arguments, kind))
    for told in found:
        warnings.warn(told, ForgettingWarning, stacklevel=2)
    return found


def _odd(arguments: TrainingArguments, kind: Kind) -> Iterator[str]:
    rate, span = arguments.learning_rate, RATES[kind]
    if not span.least <= rate <= span.most:
        effect = "forgets more" if rate > span.most else "may learn too little"
        yield f"learning_rate {rate:g} {effect}: {span.least:g} to {span.most:g} is {span.source}"
    if arguments.max_steps <= 0 and arguments.num_train_epochs > MOST_EPOCHS:
        yield (
            f"num_train_epochs {arguments.num_train_epochs:g}: more than {MOST_EPOCHS} passes go on forgetting when"
            " there is little left to learn (Kalajdzievski 2024, arXiv:2401.05605)"
        )
    if not arguments.warmup_steps:
        yield "no warm-up (warmup_steps 0): the first steps are the largest, and most is lost in them"
    if kind == "full" and arguments.weight_decay:
        yield (
            f"weight_decay {arguments.weight_decay:g} pulls towards zero, not towards the base, and so is no guard"
            " against forgetting; L2-SP is (arXiv:1802.01483)"
        )
