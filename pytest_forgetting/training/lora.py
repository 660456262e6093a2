"""Low-rank adaptation (Hu et al. 2021, arXiv:2106.09685): small matrices beside the frozen weights.

The base can always be had back by switching the adapter off. With the adapter on, it can forget like any other
fine-tune: frozen weights do not freeze what the model says (Biderman et al. 2024, arXiv:2405.09673).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.training.method import OnDomain, Unpenalised
from pytest_forgetting.training.recipe import LORA, Recipe, see

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ALL_LINEAR = "all-linear"
"""Every linear layer but the output layer, as in QLoRA (Dettmers et al. 2023, arXiv:2305.14314)."""


@dataclass(frozen=True)
class LoRA(OnDomain, Unpenalised):
    """An adapter of rank `rank` on `targets`; what is saved is the adapter alone."""

    recipe: Recipe = LORA
    rank: int = 16
    alpha: int = 32
    """The update is scaled by alpha / rank."""
    dropout: float = 0.0
    targets: str | tuple[str, ...] = ALL_LINEAR
    """Names of modules, or `ALL_LINEAR`."""
    quantization: Literal["none", "4bit"] = "none"
    """With ``4bit`` this is QLoRA (arXiv:2305.14314): the frozen base is held as 4-bit NormalFloat, by bitsandbytes."""

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            WrongUsage: one of them cannot be meant.
        """
        see("LoRA: rank", self.rank, isinstance(self.rank, int) and self.rank >= 1, "a whole number from 1")
        see("LoRA: dropout", self.dropout, 0 <= self.dropout < 1, "a share from 0 to under 1")
        see("LoRA: quantization", self.quantization, self.quantization in ("none", "4bit"), "none or 4bit")

    def loading(self) -> Mapping[str, Any]:
        """In float32, or in four bits and computing in bfloat16.

        Raises:
            WrongUsage: four bits, and bitsandbytes is not installed.
        """
        if self.quantization == "none":
            return {"dtype": "float32"}
        if find_spec("bitsandbytes") is None:
            raise WrongUsage(f"LoRA: quantization {self.quantization} needs bitsandbytes: pip install bitsandbytes")
        import torch
        from transformers import BitsAndBytesConfig

        config = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
        return {"dtype": torch.bfloat16, "quantization_config": config}

    def adapt(self, model: PreTrainedModel) -> Any:
        """The model in a `PeftModel` whose adapter alone is trainable."""
        import peft

        config = peft.LoraConfig(
            task_type="CAUSAL_LM",
            r=self.rank,
            lora_alpha=self.alpha,
            lora_dropout=self.dropout,
            target_modules=self.targets if isinstance(self.targets, str) else list(self.targets),
        )
        if self.quantization != "none":
            model = peft.prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
        return peft.get_peft_model(model, config)


LESSON = LoRA(rank=16, alpha=32, dropout=0.1, targets=("q_proj", "v_proj"))
"""The preset of many tutorials. In PEFT's own comparison these targets keep less and learn less than all layers do."""
