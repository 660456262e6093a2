"""A full checkpoint, from its files into memory, or a plain word why not."""

from __future__ import annotations

import re
from collections.abc import Collection
from difflib import get_close_matches
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch
from transformers import (
    CONFIG_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    GenerationConfig,
)
from transformers import __version__ as transformers_version
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from pytest_forgetting.errors import CannotAnswer, WrongUsage
from pytest_forgetting.models.device_memory import free_bytes
from pytest_forgetting.models.devices import WEIGHTS_SHARE, torch_dtype
from pytest_forgetting.models.folder import CONFIG, has_tokenizer, read_json
from pytest_forgetting.models.free_memory import free_memory
from pytest_forgetting.models.load_errors import told_as

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

    from pytest_forgetting.models.load_options import LoadOptions
    from pytest_forgetting.models.local_model import LocalModel

_OTHER_TASK = re.compile("For(?!CausalLM|ConditionalGeneration)")
"""In an architecture's name: a head that answers something else than the next token."""
_SHOWN = 3


def load_checkpoint(
    model: LocalModel, options: LoadOptions, device: str, dtype: str
) -> tuple[PreTrainedModel, list[str]]:
    """Load the full weights of `model`, without its adapter, ready to answer.

    Returns:
        The model, in evaluation mode and without gradients, and notes about what is odd with it.

    Raises:
        WrongUsage: an option cannot be had.
        CannotAnswer: it is no causal language model, or config and weights do not fit together.
    """
    config = causal_config(model, options)
    quantized = _quantization(options.quantization, dtype)
    _see_room(model, device, dtype, options)
    loaded, unexpected = read_weights(
        model,
        config,
        dtype=torch_dtype(dtype),
        attn_implementation=None,  # sdpa wherever the architecture has it, whatever the config asks for
        quantization_config=quantized,
        **_placed(options, device, quantized=quantized is not None),
        trust_remote_code=options.trust_remote_code,
    )
    loaded.eval().requires_grad_(False)
    return loaded, _unused(model, unexpected)


def read_weights(model: LocalModel, config: PreTrainedConfig, **options: Any) -> tuple[Any, Collection[str]]:
    """The full weights of `model`, and the names of those that its architecture has no place for.

    Args:
        model: whose adapter, if any, is left aside.
        config: of `causal_config`.
        options: further arguments of transformers' `from_pretrained`.

    Raises:
        CannotAnswer: config and weights do not fit together.
    """
    what = f"{model.ref}: the weights in {model.weights} do not load"
    loader: Any = AutoModelForCausalLM
    with told_as(what):
        loaded, info = loader.from_pretrained(
            str(model.weights),
            config=config,
            use_safetensors=None if model.allow_pickle else True,
            local_files_only=True,
            ignore_mismatched_sizes=True,  # told below, more plainly
            output_loading_info=True,
            **options,
        )
    _see_complete(what, info)
    return loaded, info["unexpected_keys"]


def load_tokenizer(model: LocalModel, options: LoadOptions, config: Any) -> PreTrainedTokenizerBase:
    """The tokenizer that counts for `model`, padding on the left.

    Args:
        model: whose tokenizer it is.
        options: of loading.
        config: of the loaded model; an adapter's folder does not tell for which architecture its tokenizer is.

    Raises:
        CannotAnswer: there is none, or it does not load.
    """
    where = model.tokenizer
    if not has_tokenizer(where) and not (where / "tokenizer_config.json").is_file():
        raise CannotAnswer(f"{model.ref}: there is no tokenizer (tokenizer.json or its like) in {where}")
    with told_as(f"{model.ref}: the tokenizer in {where} does not load"):
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            str(where),
            config=config,
            padding_side="left",
            trust_remote_code=options.trust_remote_code,
            local_files_only=True,
        )
    return tokenizer


def embedding_rows(model: PreTrainedModel) -> int:
    """Tokens that `model` has an embedding for."""
    weight: Any = model.get_input_embeddings().weight
    return int(weight.shape[0])


def pin_decoding(loaded: PreTrainedModel) -> None:
    """Let nothing of the checkpoint's generation_config take part but its ends of sequence."""
    ends = getattr(loaded.generation_config, "eos_token_id", None)
    loaded.generation_config = GenerationConfig(do_sample=False, eos_token_id=ends)


def causal_config(model: LocalModel, options: LoadOptions) -> PreTrainedConfig:
    """The configuration, once it is sure that it is a causal language model's.

    Raises:
        WrongUsage: it needs code of its own.
        CannotAnswer: it is another kind of model, or cannot be read.
    """
    told = read_json(model.weights / CONFIG)
    kind = told.get("model_type")
    remote = "AutoConfig" in (told.get("auto_map") or {})
    if remote and kind not in CONFIG_MAPPING and not options.trust_remote_code:
        raise WrongUsage(f"{model.ref}: the model comes with code of its own, which only --trust-remote-code runs")
    if not remote and kind not in CONFIG_MAPPING:
        raise CannotAnswer(f"{model.ref}: {_unknown_kind(kind)}")
    with told_as(f"{model.ref}: {model.weights / CONFIG} cannot be used"):
        config: PreTrainedConfig = AutoConfig.from_pretrained(
            str(model.weights), trust_remote_code=options.trust_remote_code, local_files_only=True
        )
    reason = _no_causal_model(config)
    if reason is not None:
        raise CannotAnswer(f"{model.ref}: {reason}, no causal language model; only those can be asked")
    return config


def _unknown_kind(kind: object) -> str:
    if not isinstance(kind, str):
        return f"its {CONFIG} names no 'model_type'"
    near = get_close_matches(kind, CONFIG_MAPPING.keys(), n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"transformers {transformers_version} knows no architecture '{kind}'{hint}"


def _no_causal_model(config: PreTrainedConfig) -> str | None:
    """What the configuration is instead."""
    architecture = next(iter(getattr(config, "architectures", None) or []), "")
    if getattr(config, "is_encoder_decoder", False):
        return f"it is an encoder-decoder model ({architecture or config.model_type})"
    if _OTHER_TASK.search(architecture):
        return f"it is a {architecture}"
    remote = "AutoModelForCausalLM" in (getattr(config, "auto_map", None) or {})
    known = remote or config.model_type in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    return None if known else f"it is a model of the kind '{config.model_type}'"


def _quantization(choice: str, dtype: str) -> BitsAndBytesConfig | None:
    if choice == "none":
        return None
    if choice not in ("8bit", "4bit"):
        raise WrongUsage(f"--quantization {choice}: is none of none, 8bit, 4bit")
    if find_spec("bitsandbytes") is None:
        raise WrongUsage(f"--quantization {choice} needs the package bitsandbytes: pip install bitsandbytes")
    return BitsAndBytesConfig(
        load_in_8bit=choice == "8bit", load_in_4bit=choice == "4bit", bnb_4bit_compute_dtype=torch_dtype(dtype)
    )


def _placed(options: LoadOptions, device: str, *, quantized: bool) -> dict[str, Any]:
    """Where transformers is to put the layers: as evenly as they can be over several GPUs, nothing outside of them."""
    if options.shards:
        room = {torch.device(each).index: int(WEIGHTS_SHARE * free_bytes(each)) for each in options.shards}
        return {"device_map": "balanced", "max_memory": room}
    return {"device_map": {"": device} if quantized or device != "cpu" else None}


def _see_room(model: LocalModel, device: str, dtype: str, options: LoadOptions) -> None:
    """Notice a lack of memory where it would end the process, or where layers would be put on the disk for it."""
    if options.shards:
        needed, free = int(model.bytes_in(dtype, options.quantization)), sum(map(free_bytes, options.shards))
        if needed > WEIGHTS_SHARE * free:
            raise MemoryError(f"{needed / 2**30:.1f} GiB are needed and {free / 2**30:.1f} GiB are free on all GPUs")
    if device == "cpu" and options.quantization == "none":
        needed, free = model.parameters * torch_dtype(dtype).itemsize, free_memory()
        if needed > free:
            raise MemoryError(f"{needed / 2**30:.1f} GiB are needed and {free / 2**30:.1f} GiB are free")


def _see_complete(what: str, info: dict[str, Any]) -> None:
    """Refuse what transformers would fill up with random numbers."""
    for key, found, wanted in sorted(info["mismatched_keys"]):
        shapes = f"{list(found)} in the weights and {list(wanted)} by the config"
        raise CannotAnswer(f"{what}: the shape of {key} is {shapes}")
    if info["missing_keys"]:
        raise CannotAnswer(f"{what}: they lack {_some(info['missing_keys'])}, which the config asks for")
    if info["error_msgs"]:
        raise CannotAnswer(f"{what}: {info['error_msgs'][0]}")


def _unused(model: LocalModel, keys: Collection[str]) -> list[str]:
    return [f"{model.ref}: its architecture has no place for the weights {_some(keys)}"] if keys else []


def _some(keys: Collection[str]) -> str:
    more = len(keys) - _SHOWN
    return ", ".join(sorted(keys)[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
