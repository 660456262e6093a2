"""How many rows fit into memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from pytest_forgetting.answers.planning import rows_that_fit
from pytest_forgetting.models.device_memory import free_bytes

if TYPE_CHECKING:
    from pytest_forgetting.models.loading import LoadedModel

MOST_ROWS = {"cpu": 32, "mps": 64, "cuda": 256}
"""Beyond these, larger batches no longer raise the rate; customary but for the CPU.

There 150 answers of 24 tokens took 0.92, 0.66, 0.53 and 0.57 seconds of one core in batches of 8, 16, 32 and 64 with
260 thousand parameters, and with 26 million 13.4, 11.5, 11.3 and 11.7; in batches of 128 several times as long, as the
keys and values of all rows are moved with each token."""
ACTIVATIONS = 24
"""Hidden-size vectors alive per token at the peak of a layer: residual, attention, the two halves of the MLP."""
OUTSIDE_MLP, IN_MLP = 8, 4
"""The same where the MLP is unusually wide: hidden-size vectors beside it, and vectors of its own size within."""


def batch_size_for(loaded: LoadedModel, tokens: int, drafted: int = 0, several: int = 1) -> int:
    """Rows of `tokens` tokens (prompt and answer) that can be decoded at once, `drafted` of them checked in one go.

    Of `several` rows one is sure to be decoded: where memory allows there may be as many times more.
    """
    kind = torch.device(loaded.device).type
    size = bytes_per_row(loaded.model, tokens, drafted)
    return rows_that_fit(_free_for(loaded), size, MOST_ROWS.get(kind, 64) * several)


def scored_batch_size_for(loaded: LoadedModel, rows: Sequence[tuple[int, int]]) -> int:
    """How many of the first of `rows` can be scored at once.

    A batch holds all its rows' logits from the first position on that any of them needs, so that one row with little
    in front of what is scored makes the others cost more.

    Args:
        loaded: the model that scores.
        rows: tokens before what is scored, and tokens scored, of each; the longest first.
    """
    most = MOST_ROWS.get(torch.device(loaded.device).type, 64)
    free, width = _free_for(loaded), sum(rows[0])
    first = width
    for n, (before, _) in enumerate(rows[:most]):
        first = min(first, before)
        if rows_that_fit(free, bytes_per_scored_row(loaded.model, width, width - first), most) <= n:
            return max(1, n)
    return min(len(rows), most)


def bytes_per_scored_row(model: Any, tokens: int, scored: int) -> int:
    """Peak bytes of one row that is scored: activations, and logits of `scored` positions, once more in float32."""
    config = model.config.get_text_config()
    width = model.dtype.itemsize
    return int(_activations(config) * tokens * width + (width + 8) * config.vocab_size * scored)


def bytes_per_row(model: Any, tokens: int, drafted: int = 0) -> int:
    """Peak bytes of one row: KV cache, activations of the prefill, logits of its last position and of its draft.

    Where layers are spread over several devices it is that of the device which has the most of them.
    """
    config = model.config.get_text_config()
    width = model.dtype.itemsize
    heads = getattr(config, "num_key_value_heads", None) or getattr(config, "num_attention_heads", 1)
    head = getattr(config, "head_dim", None) or config.hidden_size // max(1, getattr(config, "num_attention_heads", 1))
    cache = 2 * config.num_hidden_layers * heads * head * tokens * width
    cache = int(cache * layers_share(model))
    return int(cache + _activations(config) * tokens * width + 2 * 4 * config.vocab_size * (1 + drafted))


def _activations(config: Any) -> int:
    """Numbers alive per token at the peak of a layer."""
    wide = getattr(config, "intermediate_size", None)
    mlp = IN_MLP * wide if isinstance(wide, int) else 0
    return int(max(ACTIVATIONS * config.hidden_size, OUTSIDE_MLP * config.hidden_size + mlp))


def layers_share(model: Any) -> float:
    """Of a model's layers, the share on the device that has the most of them."""
    placed: dict[str, Any] = getattr(model, "hf_device_map", None) or {}
    layers = Counter(str(device) for name, device in placed.items() if name.rpartition(".")[2].isdecimal())
    return max(layers.values()) / layers.total() if layers else 1.0


def _free_for(loaded: LoadedModel) -> int:
    """Bytes free on the device of `loaded`, or on that of its devices which has the fewest."""
    return min(free_bytes(device) for device in loaded.shards or (loaded.device,))
