"""What makes two loaded models the same: a hash over all that their answers depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import torch

from pytest_forgetting.models.fingerprint import combined, value_digest

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_KNOWN = frozenset({"transformers", "torch", "peft", "bitsandbytes"})
"""Packages whose modules compute the same from the same weights; anything else may be changed at any time."""
_WITHOUT_EFFECT = frozenset({"_name_or_path", "transformers_version", "use_cache", "architectures"})
_LAYER_STATE = ("active_adapters", "disable_adapters", "merged_adapters", "scaling")


def digest_of(
    model: Any, plain: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, adapter_off: bool
) -> str | None:
    """SHA-256 (hex) over weights, settings, adapter and tokenizer, the chat template left out.

    A base that speaks with its adapter switched off has the digest that it has by itself.

    Args:
        model: a model, or a `PeftModel` around one.
        plain: the model itself.
        tokenizer: belongs to it.
        adapter_off: hash what speaks while the adapter is switched off.

    Returns:
        None where that cannot tell how it answers: code or hooks of the caller's own, weights that are not in
        memory, a tokenizer that is no fast one.
    """
    if tokenizer.is_fast is False or not all(map(_is_known, model.modules())):
        return None
    tensors = list(_base_tensors(model, plain) if adapter_off else _named(model))
    if any(tensor.is_meta for _, tensor in tensors):
        return None
    ends = getattr(plain.generation_config, "eos_token_id", None)
    return combined(
        [
            ("weights", combined((name, _tensor_digest(tensor)) for name, tensor in tensors)),
            ("code", f"{type(plain).__module__}.{type(plain).__qualname__}"),
            ("config", _settings_digest(json.loads(plain.config.to_json_string(use_diff=False)))),
            ("eos", value_digest(ends)),
            ("tokenizer", _tokenizer_digest(tokenizer)),
            ("adapter", "" if adapter_off else _adapter_digest(model)),
        ]
    )


def _is_known(module: torch.nn.Module) -> bool:
    """Whether `module` computes as its class says."""
    own_forward = "forward" in vars(module) and not hasattr(module, "_hf_hook")
    hooked = bool(module._forward_hooks or module._forward_pre_hooks)
    return type(module).__module__.partition(".")[0] in _KNOWN and not own_forward and not hooked


def _base_tensors(model: Any, plain: PreTrainedModel) -> Iterator[tuple[str, torch.Tensor]]:
    from pytest_forgetting.models.adapter_in_memory import is_base
    from pytest_forgetting.models.adapters import plain_name

    return ((plain_name(name), tensor) for name, tensor in _named(plain) if is_base(model, name))


def _named(model: Any) -> Iterable[tuple[str, torch.Tensor]]:
    state = model.state_dict()
    return ((name, value) for name, value in state.items() if isinstance(value, torch.Tensor))


def _tensor_digest(tensor: torch.Tensor) -> str:
    """Over type, shape and bits; one tensor at a time is brought to main memory."""
    bits = tensor.detach().contiguous().cpu().reshape(-1).view(torch.uint8)
    told = hashlib.sha256(f"{tensor.dtype} {tuple(tensor.shape)} ".encode())
    told.update(bits.numpy().data)
    return told.hexdigest()


def _tokenizer_digest(tokenizer: Any) -> str:
    backend = tokenizer.backend_tokenizer
    backend.no_padding()  # set by the last call, and anew by each
    backend.no_truncation()
    settings = {name: value for name, value in tokenizer.init_kwargs.items() if name != "chat_template"}
    told = [backend.to_str(), tokenizer.special_tokens_map, type(tokenizer).__qualname__]
    return combined([("words", _plain_digest(told)), ("settings", _settings_digest(settings))])


def _adapter_digest(model: Any) -> str:
    """How the adapters on a model are set up and switched, if there are any; their weights are among the tensors."""
    configs = {name: config.to_dict() for name, config in getattr(model, "peft_config", {}).items()}
    layers = [
        [name, *(str(getattr(module, each, None)) for each in _LAYER_STATE)]
        for name, module in model.named_modules()
        if hasattr(module, "active_adapters") and hasattr(module, "merged_adapters")
    ]
    return _plain_digest([configs, layers]) if configs or layers else ""


def _settings_digest(settings: dict[str, Any]) -> str:
    return _plain_digest({name: value for name, value in settings.items() if name not in _WITHOUT_EFFECT})


def _plain_digest(value: Any) -> str:
    """SHA-256 over values that are JSON or have a text; sets in order."""
    return value_digest(json.loads(json.dumps(value, default=_as_plain)))


def _as_plain(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else str(value)
