"""Elastic weight consolidation (Kirkpatrick et al. 2017, arXiv:1612.00796): hold on to the weights that matter."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pytest_forgetting.training.full import FullFineTune
from pytest_forgetting.training.method import Around, Method, Penalty, read_general
from pytest_forgetting.training.recipe import see
from pytest_forgetting.training.steps import OnStep

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

KEPT = Path("ewc") / "fisher.safetensors"
"""Within a tuned model's folder."""


@dataclass(frozen=True)
class EWC(Around):
    """A method, with a pull of ``strength / 2 * sum F_i * (theta_i - base_i)^2`` towards the base.

    F is the diagonal Fisher information of the base. Around `LoRA` it is taken of the frozen weights, and what it
    weighs is the change that the adapter makes in them.
    """

    of: Method = field(default_factory=FullFineTune)
    """What is held back: `FullFineTune`, `LoRA` or `Replay`, with its recipe."""
    strength: float = 1.0
    """Lambda. The pull is about the strength times the nats by which a general text becomes less likely."""
    samples: int = 200
    """Texts that the Fisher information is taken from."""
    labels: Literal["all", "sample", "pred", "true"] = "sample"
    """Where the labels come from; see `training.fisher`."""
    general: Any = None
    """A general set, in any form that `read_examples` takes, read at once; None: the base writes its own."""
    online: float | None = None
    """Online EWC (Schwarz et al. 2018, arXiv:1805.06370): the Fisher information is kept beside the weights, and what
    the base was itself tuned under counts on, times this decay."""

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            WrongUsage: one of them is out of its range, or the general set cannot be learned from.
        """
        read_general(self)
        see("EWC: strength", self.strength, self.strength >= 0 and isfinite(self.strength), "0 or more")
        see("EWC: samples", self.samples, self.samples >= 1, "1 or more")
        see("EWC: labels", self.labels, self.labels in ("all", "sample", "pred", "true"), "all, sample, pred or true")
        see("EWC: online", self.online, self.online is None or 0 <= self.online <= 1, "a decay from 0 to 1")

    def penalty(self, trained: Any, tokenizer: PreTrainedTokenizerBase, on_step: OnStep) -> Penalty | None:
        """The pull, beside that of the method within."""
        from pytest_forgetting.training.anchor import anchored
        from pytest_forgetting.training.fisher import evaluating, fisher, of_texts
        from pytest_forgetting.training.general import general_rows, told

        rows = general_rows(self.general, self.samples, trained, tokenizer, on_step)
        anchor = anchored(trained)
        with evaluating(trained), anchor.untouched():
            importance = fisher(anchor.weights(), told(of_texts(trained, rows), len(rows), on_step), self.labels)
        if self.online is not None:
            importance = _continued(importance, Path(trained.name_or_path) / KEPT, self.online)
        kept = {} if self.online is None else importance
        pull = Penalty(lambda model, *_: self.strength / 2 * anchor.distance(model, importance), kept)
        return pull + self.of.penalty(trained, tokenizer, on_step)


LESSON = EWC(strength=5000.0, samples=100, labels="true")
"""The preset of many tutorials: a strength that belongs to no scale in particular. Sweep it."""


def _continued(new: dict[str, torch.Tensor], path: Path, decay: float) -> dict[str, torch.Tensor]:
    """`new`, with what an earlier tuning left in `path`."""
    if not path.is_file():
        return new
    from safetensors.torch import load_file

    old = load_file(path)
    return {name: each + decay * old[name].to(each.device) if name in old else each for name, each in new.items()}
