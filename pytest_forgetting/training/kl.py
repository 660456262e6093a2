"""Staying close to the base in what is said, not in the weights: a Kullback-Leibler divergence in the loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal

from pytest_forgetting.training.full import FullFineTune
from pytest_forgetting.training.method import Around, Method, Penalty, read_general
from pytest_forgetting.training.recipe import see
from pytest_forgetting.training.steps import OnStep

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class KLToBase(Around):
    """A method, with `strength` times KL(base || model) per token in its loss.

    Learning without Forgetting (Li and Hoiem 2016, arXiv:1606.09282) does so on the new task's inputs. Around
    `LoRA` the base is the same model with its adapter off; otherwise a second copy is held in memory.
    """

    of: Method = field(default_factory=FullFineTune)
    """What is held back, with its recipe."""
    strength: float = 1.0
    """Nats per token of the divergence count this much beside nats per token of the domain."""
    on: Literal["general", "domain"] = "general"
    """Where both are compared: on general text, a batch of it in each step, or on the rows that are being learned."""
    samples: int = 200
    """General texts that are drawn from."""
    general: Any = None
    """A general set, in any form that `read_examples` takes, read at once; None: the base writes its own."""

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            WrongUsage: one of them cannot be meant, or the general set cannot be learned from.
        """
        read_general(self)
        see("KLToBase: strength", self.strength, self.strength >= 0 and isfinite(self.strength), "0 or more")
        see("KLToBase: samples", self.samples, self.samples >= 1, "1 or more")
        see("KLToBase: on", self.on, self.on in ("general", "domain"), "general or domain")

    def penalty(self, trained: Any, tokenizer: PreTrainedTokenizerBase, on_step: OnStep) -> Penalty | None:
        """The divergence, beside the pull of the method within."""
        from pytest_forgetting.training.divergence import Teacher, batches, inputs_of
        from pytest_forgetting.training.general import general_rows

        teacher = Teacher(trained)
        if self.on == "domain":

            def term(model: Any, batch: Mapping[str, Any], logits: torch.Tensor) -> torch.Tensor:
                return self.strength * teacher.divergence(model, batch, logits)

        else:
            rows = general_rows(self.general, self.samples, trained, tokenizer, on_step)
            supply = batches(rows, self.recipe.batch_size, tokenizer)

            def term(model: Any, batch: Mapping[str, Any], logits: torch.Tensor) -> torch.Tensor:
                del batch, logits
                general = next(supply).to(model.device)
                return self.strength * teacher.divergence(model, general, model(**inputs_of(general)).logits)

        return Penalty(term) + self.of.penalty(trained, tokenizer, on_step)
