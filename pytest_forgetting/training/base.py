"""The base of a tuning: found, and loaded as its method wants it, or a plain word why not."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from transformers import AutoTokenizer

from pytest_forgetting.errors import CannotAnswer, WrongUsage
from pytest_forgetting.models.checkpoint import causal_config, read_weights
from pytest_forgetting.models.folder import has_tokenizer
from pytest_forgetting.models.load_errors import told_as
from pytest_forgetting.models.load_options import LoadOptions
from pytest_forgetting.models.references import resolve

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from pytest_forgetting.models.local_model import LocalModel


def find_base(ref: str | os.PathLike[str]) -> LocalModel:
    """The full checkpoint that `ref` names.

    Raises:
        WrongUsage: it names nothing, or an adapter.
        CannotAnswer: it cannot be read.
    """
    found = resolve(os.fspath(ref))
    if found.adapter is not None:
        raise WrongUsage(f"{ref} is an adapter; merge it into its base first, or tune the base")
    return found


def load_base(found: LocalModel, loading: Mapping[str, Any]) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Model and tokenizer, on the CPU unless the weights are quantized.

    Args:
        found: the base.
        loading: what a method wants of it; arguments of transformers' `from_pretrained`.

    Raises:
        WrongUsage: its tokenizer has no end token.
        CannotAnswer: it is no causal language model, or its files do not fit together.
    """
    model, _ = read_weights(found, causal_config(found, LoadOptions()), **loading)
    return model, _tokenizer(found)


def _tokenizer(found: LocalModel) -> PreTrainedTokenizerBase:
    if not has_tokenizer(found.weights):
        raise CannotAnswer(f"{found.ref}: there is no tokenizer (tokenizer.json or its like) in {found.weights}")
    with told_as(f"{found.ref}: the tokenizer in {found.weights} does not load"):
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(str(found.weights), local_files_only=True)
    if tokenizer.eos_token_id is None:
        raise WrongUsage(f"{found.ref}: its tokenizer has no end token (eos_token), so no end could be learned")
    return tokenizer
