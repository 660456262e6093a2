"""Full fine-tuning: all weights, on the domain's data and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import isfinite
from typing import TYPE_CHECKING, Any

from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.training.method import InFloat32, OnDomain, Penalty
from pytest_forgetting.training.recipe import SAFE, Recipe, see
from pytest_forgetting.training.steps import OnStep

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class FullFineTune(OnDomain, InFloat32):
    """Full fine-tuning; how much it forgets is above all a matter of the recipe."""

    recipe: Recipe = SAFE
    l2_sp: float = 0.0
    """Weight of a pull towards the base (L2-SP: Li et al. 2018, arXiv:1802.01483); AdamW's own decay pulls to zero."""
    frozen: tuple[str, ...] = ()
    """Names of parameters that are not trained; ``*`` stands for anything, as in ``model.layers.0.*``. Freezing the
    bottom layers is the strongest simple remedy where a model still knows but no longer says (Zheng et al. 2025,
    arXiv:2501.13453)."""

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            WrongUsage: one of them cannot be meant.
        """
        see("FullFineTune: l2_sp", self.l2_sp, self.l2_sp >= 0 and isfinite(self.l2_sp), "0 or more")
        see(
            "FullFineTune: frozen",
            self.frozen,
            not isinstance(self.frozen, str),
            "several patterns, as in ('model.*',)",
        )

    def adapt(self, model: PreTrainedModel) -> Any:
        """The model, with what is `frozen` out of the optimiser's reach.

        Raises:
            WrongUsage: a pattern names no parameter, or nothing is left to train.
        """
        parameters = dict(model.named_parameters())
        for pattern in self.frozen:
            named = [name for name in parameters if fnmatchcase(name, pattern)]
            if not named:
                some = ", ".join(list(parameters)[:3])
                raise WrongUsage(f"frozen: {pattern!r} names no parameter; there are {some}, …")
            for name in named:
                parameters[name].requires_grad_(False)
        if not any(parameter.requires_grad for parameter in parameters.values()):
            raise WrongUsage(f"frozen: {', '.join(self.frozen)} leaves nothing to train")
        return model

    # As Method asks.
    def penalty(self, trained: Any, tokenizer: PreTrainedTokenizerBase, on_step: OnStep) -> Penalty | None:  # noqa: ARG002
        """``l2_sp / 2`` times the squared distance of the trained parameters from the base."""
        if not self.l2_sp:
            return None
        from pytest_forgetting.training.anchor import anchored

        anchor = anchored(trained)
        return Penalty(lambda model, *_: self.l2_sp / 2 * anchor.distance(model))
