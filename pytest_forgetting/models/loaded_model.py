"""A model in memory, with what asking it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass
class LoadedModel:
    """A model that can be asked, as long as it is its turn to speak."""

    model: Any
    """A `PreTrainedModel`, or a `PeftModel` around one, which hands on all that it does not define itself."""
    tokenizer: PreTrainedTokenizerBase
    """Pads on the left, with a token that the model has an embedding for."""
    device: str
    """Where tokens go in, and logits come out."""
    dtype: str
    eos_token_ids: frozenset[int]
    """Whatever generation_config, config or tokenizer call an end of sequence."""
    context_length: int | None
    """Most tokens of prompt and answer together, None where the config sets no bound."""
    parameters: int
    shards: tuple[str, ...] = ()
    """GPUs over which its layers are spread; empty: all are on `device`."""
