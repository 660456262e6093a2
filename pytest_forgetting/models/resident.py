"""One copy of a checkpoint's weights in memory, with at most one adapter on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch

from pytest_forgetting.models.checkpoint import embedding_rows, load_checkpoint, load_tokenizer, pin_decoding
from pytest_forgetting.models.devices import device_for, dtype_for
from pytest_forgetting.models.load_errors import quiet
from pytest_forgetting.models.loaded_model import LoadedModel
from pytest_forgetting.models.own_memory import detach_from_files

if TYPE_CHECKING:
    import peft
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from pytest_forgetting.models.load_options import LoadOptions
    from pytest_forgetting.models.local_model import LocalModel


@dataclass
class Resident:
    """Weights that are loaded, and who can speak through them."""

    weights_fingerprint: str
    plain: PreTrainedModel
    device: str
    dtype: str
    options: LoadOptions
    adapter_fingerprint: str | None = None
    """Of the model that the adapter makes, None where there is none."""
    adapted: peft.PeftModel | None = None
    intact: bool = True
    """Whether the base is still itself with the adapter switched off."""
    notes: list[str] = field(default_factory=list)
    _tokenizers: dict[object, PreTrainedTokenizerBase] = field(default_factory=dict)

    @classmethod
    def load(cls, model: LocalModel, options: LoadOptions) -> Resident:
        """Load the full weights that `model` stands on, without its adapter.

        Raises:
            WrongUsage: an option cannot be had.
            CannotAnswer: they do not load.
        """
        device = device_for(options.device)
        dtype = dtype_for(options.dtype, device, model.config_dtype, model.parameters)
        if device.startswith("cuda:"):
            torch.cuda.set_device(device)  # or what is computed beside the model would take memory of the first GPU
        with quiet():
            plain, notes = load_checkpoint(model, options, device, dtype)
            detach_from_files(plain)
            pin_decoding(plain)
        return cls(model.weights_fingerprint, plain, device, dtype, options, notes=notes)

    def speaks_for(self, model: LocalModel) -> bool:
        """Whether `model` is what is loaded here."""
        if model.adapter is not None:
            return self.adapter_fingerprint == model.fingerprint
        return self.intact and self.weights_fingerprint == model.fingerprint

    def knows_tokenizer_of(self, model: LocalModel) -> bool:
        """Whether the tokenizer of `model` has been read."""
        return model.tokenizer in self._tokenizers

    def can_take(self, model: LocalModel) -> bool:
        """Whether the adapter of `model` can be put on these weights."""
        return self.adapted is None and self.intact and self.weights_fingerprint == model.weights_fingerprint

    def take(self, model: LocalModel) -> None:
        """Put the adapter of `model` on.

        Raises:
            CannotAnswer: it is damaged or does not fit. The weights may have been changed by then.
        """
        # Here and not above: peft takes seconds to import, and most pairs have no adapter.
        from pytest_forgetting.models.adapters import attach, bit_sums, left_intact

        before, self.intact = bit_sums(self.plain), False
        with quiet():
            self.adapted = attach(self.plain, model, self.device)
            detach_from_files(self.adapted)
            self.intact = left_intact(before, self.adapted)
        self.adapter_fingerprint = model.fingerprint

    @contextmanager
    def speaking_as(self, model: LocalModel) -> Iterator[LoadedModel]:
        """Let `model` speak: with the adapter, or with it switched off."""
        off = self.adapted is not None and model.adapter is None
        with quiet():
            loaded = self._loaded(model)
        with self.adapted.disable_adapter() if off and self.adapted is not None else nullcontext():
            yield loaded

    def _loaded(self, model: LocalModel) -> LoadedModel:
        spoken = self.adapted or self.plain
        adapter_on = model.adapter is not None
        loaded = ready(spoken, self.plain, self._tokenizer(model), self.device, self.dtype, adapter_on=adapter_on)
        return replace(loaded, shards=self.options.shards)

    def _tokenizer(self, model: LocalModel) -> PreTrainedTokenizerBase:
        if model.tokenizer not in self._tokenizers:
            tokenizer = load_tokenizer(model, self.options, self.plain.config)
            self._tokenizers[model.tokenizer] = padding(tokenizer, embedding_rows(self.plain))
        return self._tokenizers[model.tokenizer]


def ready(
    spoken: Any,
    plain: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    device: str,
    dtype: str,
    *,
    adapter_on: bool,
) -> LoadedModel:
    """A model with what asking it takes.

    Args:
        spoken: the model, or the adapter around it.
        plain: the model itself.
        tokenizer: of whoever speaks; see `padding`.
        device: in torch's name.
        dtype: in torch's name.
        adapter_on: whether an adapter around it takes part.
    """
    length = _context_length(plain)
    if length is not None and adapter_on:
        length -= _virtual_tokens(spoken)
    ends = _eos_token_ids(plain, tokenizer)
    return LoadedModel(spoken, tokenizer, device, dtype, ends, length, parameters=spoken.num_parameters())


def _context_length(plain: PreTrainedModel) -> int | None:
    config = plain.config.get_text_config()
    told = (getattr(config, name, None) for name in ("max_position_embeddings", "max_seq_len"))
    return next((length for length in told if isinstance(length, int) and length > 0), None)


def _virtual_tokens(adapted: Any) -> int:
    """Places in the context that a learned prompt takes up."""
    configs: list[Any] = list(getattr(adapted, "peft_config", {}).values())
    return sum(config.num_virtual_tokens or 0 for config in configs if config.is_prompt_learning)


def padding(tokenizer: PreTrainedTokenizerBase, rows: int) -> PreTrainedTokenizerBase:
    """Give the tokenizer a padding token that the model knows; padding is masked, so any will do."""
    pad, eos = tokenizer.pad_token_id, tokenizer.eos_token_id
    if (pad is None or pad >= rows) and eos is not None and eos < rows:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _eos_token_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    named = [source.eos_token_id for source in (model.generation_config, model.config.get_text_config(), tokenizer)]
    flat = [each for ends in named for each in (ends if isinstance(ends, list | tuple) else [ends])]
    return frozenset(each for each in flat if isinstance(each, int) and 0 <= each < embedding_rows(model))
