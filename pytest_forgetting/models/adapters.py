"""PEFT adapters: putting one onto a loaded base, and seeing whether that left the base as it was."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

import torch

from pytest_forgetting.errors import CannotAnswer
from pytest_forgetting.models.checkpoint import embedding_rows
from pytest_forgetting.models.folder import adapter_weights
from pytest_forgetting.models.load_errors import told_as
from pytest_forgetting.models.parameters import embeddings_in

with warnings.catch_warnings():
    # Where bitsandbytes is installed, peft imports it, and torch warns of itself in some thirty lines.
    warnings.simplefilter("ignore", DeprecationWarning)
    import peft

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import PreTrainedModel

    from pytest_forgetting.models.local_model import LocalModel

_BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
_ADAPTER = "default"


def attach(base: PreTrainedModel, model: LocalModel, device: str) -> peft.PeftModel:
    """Put the adapter of `model` onto `base`, which bears none yet.

    Raises:
        CannotAnswer: it is damaged, or made for another base.
    """
    assert model.adapter is not None
    folder, unfit = str(model.adapter), f"{model.ref}: the adapter does not fit its base {model.weights}"
    with told_as(f"{model.ref}: the adapter in {folder} does not load"):
        config = peft.PeftConfig.from_pretrained(folder)
    if config.task_type not in (None, "CAUSAL_LM"):
        raise CannotAnswer(f"{model.ref}: the adapter is for the task {config.task_type}, not for CAUSAL_LM")
    if getattr(config, "megatron_config", None) or config.peft_type == "XLORA":
        raise CannotAnswer(
            f"{model.ref}: the adapter names code or other adapters to be loaded, which is not supported"
        )
    with told_as(unfit):
        _make_room(base, model)
        adapted, misfits = _loaded(base, folder, config, device)
    if misfits:
        raise CannotAnswer(f"{unfit}: {misfits[0]}")
    adapted.eval().requires_grad_(False)
    return adapted


def _loaded(
    base: PreTrainedModel, folder: str, config: peft.PeftConfig, device: str
) -> tuple[peft.PeftModel, list[str]]:
    """The adapted model, and what of the adapter found no place or was not there."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        adapted = peft.PeftModel.from_pretrained(base, folder, config=config, torch_device=device)
    if config.is_prompt_learning:
        return adapted, []  # virtual tokens go before any base; they have no names to be compared
    # Loading once more is the only way to be told what did not fit: peft drops it above, or only warns.
    keys = getattr(base, "_checkpoint_conversion_mapping", None) or {}
    result = adapted.load_adapter(folder, _ADAPTER, torch_device=device, key_mapping=keys)
    warned = " ".join(str(warning.message) for warning in told)
    lacking = [f"it lacks weights for {key}" for key in result.missing_keys if key in warned]
    # Beside embeddings that were tuned as a whole, peft saves them a second time under names that it cannot place.
    unplaced = [key for key in result.unexpected_keys if ".modules_to_save." not in key]
    return adapted, lacking + [f"it has weights for {key}, which the base does not have" for key in unplaced]


def bit_sums(model: torch.nn.Module) -> dict[str, int]:
    """The sum of each parameter's bits, by its name without what peft wraps around it.

    Cheap where a copy for comparison would double the memory, and a changed tensor keeps its sum only by a chance of
    about one in 2**32.
    """
    named = list(model.named_parameters(remove_duplicate=False))
    return {plain_name(name): _bit_sum(parameter) for name, parameter in named}


def left_intact(before: Mapping[str, int], adapted: peft.PeftModel) -> bool:
    """Whether the base below the adapter is what it was, bit for bit (PiSSA, OLoRA, CorDA and biases change it)."""
    after = bit_sums(adapted.get_base_model())
    return all(after.get(name) == total for name, total in before.items())


def plain_name(name: str) -> str:
    """The name of a parameter without what peft wraps around it."""
    return re.sub(r"\.(base_layer|original_module|token_adapter)\b", "", name)


@torch.no_grad()
def _bit_sum(parameter: torch.Tensor) -> int:
    return int(parameter.detach().view(_BITS[parameter.element_size()]).sum(dtype=torch.int64))


def _make_room(base: PreTrainedModel, model: LocalModel) -> None:
    """Give the embeddings as many rows as the adapter brings: tuning may have added tokens."""
    assert model.adapter is not None
    weights = adapter_weights(model.adapter, allow_pickle=model.allow_pickle)
    rows = None if weights is None else embeddings_in(weights)
    if rows is not None and rows != embedding_rows(base):
        base.resize_token_embeddings(rows, mean_resizing=False)
