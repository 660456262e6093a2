"""The cache of keys and values: rows of tokens are read into it (prefill), what all of them begin with only once."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import pad
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

if TYPE_CHECKING:
    from pytest_forgetting.models.loading import LoadedModel

LEAST_SHARED = 8
"""Tokens that all rows begin with from which on these are read apart: below, the pass costs more than it spares."""


TOKENS_AT_ONCE = {"cpu": 1024}
"""Tokens of several rows, with padding, that are read in one pass; elsewhere those of a whole batch.

150 prompts of 29 to 227 tokens, in batches of 32, took 0.25, 0.22, 0.22, 0.23, 0.27 and 0.33 seconds of one core in
passes of 256, 512, 1024, 2048, 4096 tokens and of a whole batch, with 260 thousand parameters; with 26 million 6.0,
5.9, 6.1, 6.6, 7.0 and 8.3: less padding is read, and a pass stays in the core's cache."""


@dataclass
class Read:
    """What was read of some rows, aligned on the right."""

    cache: Any
    mask: torch.Tensor
    """(rows, columns): 1 where a row has a token, 0 where it is padded."""

    def select(self, rows: Sequence[int]) -> None:
        """Keep only `rows`; one that is named several times is there as often."""
        chosen = torch.tensor(rows, device=self.mask.device)
        for layer in self.cache.layers:
            if layer.is_initialized:
                layer.batch_select_indices(chosen.to(layer.keys.device))  # which may not be the mask's
        self.mask = self.mask[chosen]

    def rewind(self, rows: Sequence[int], read: Sequence[int], valid: Sequence[int]) -> None:
        """Keep only `rows`, and of each only the beginning.

        Args:
            rows: those that go on.
            read: tokens of each.
            valid: how many of them it keeps.
        """
        width = self.mask.shape[1]
        ends = [width - (count - kept) for count, kept in zip(read, valid, strict=True)]
        self._gather(rows, ends, valid)

    def repeated(self, valid: Sequence[int]) -> Read:
        """Several rows of the only one, each of which has as many tokens of its beginning as `valid` says."""
        cache = copy(self.cache)
        cache.layers = [copy(layer) for layer in self.cache.layers]
        several = Read(cache, self.mask)
        several._gather([0] * len(valid), valid, valid)
        return several

    def _gather(self, rows: Sequence[int], ends: Sequence[int], valid: Sequence[int]) -> None:
        """Keep of each of `rows` the `valid` columns that lie before `ends`, and pad on the left."""
        device, most = self.mask.device, max(valid)
        places = torch.arange(most, device=device)
        moved = torch.tensor([end - most for end in ends], device=device)
        sources, chosen = (places + moved[:, None]).clamp(min=0), torch.tensor(rows, device=device)
        for layer in self.cache.layers:
            if layer.is_initialized:
                layer.keys, layer.values = (
                    _gathered(each[chosen.to(each.device)], sources.to(each.device))
                    for each in (layer.keys, layer.values)
                )
        self.mask = (places >= most - torch.tensor(valid, device=device)[:, None]).long()


def joined(reads: Sequence[Read]) -> Read:
    """The rows of all `reads`, at least one, which are used up by it."""
    if len(reads) == 1:
        return reads[0]
    width = max(read.mask.shape[1] for read in reads)
    missing = [width - read.mask.shape[1] for read in reads]
    for layers in zip(*(read.cache.layers for read in reads), strict=True):
        if layers[0].is_initialized:
            layers[0].keys = _stacked([layer.keys for layer in layers], missing)
            layers[0].values = _stacked([layer.values for layer in layers], missing)
            for layer in layers[1:]:
                layer.keys = layer.values = None  # or memory would hold all layers twice
    mask = torch.cat([pad(read.mask, (columns, 0)) for read, columns in zip(reads, missing, strict=True)])
    return Read(reads[0].cache, mask)


def _stacked(states: Sequence[torch.Tensor], missing: Sequence[int]) -> torch.Tensor:
    """All rows of `states`, each (rows, heads, columns, size), with the `missing` columns put before them."""
    return torch.cat([pad(each, (0, 0, columns, 0)) for each, columns in zip(states, missing, strict=True)])


class Reader:
    """Reads with one loaded model that keeps what it has read as keys and values."""

    def __init__(self, loaded: LoadedModel) -> None:
        """Look once at what the model's forward pass takes; architectures differ."""
        self._loaded = loaded
        plain = plain_model(loaded.model)
        self.takes = frozenset(inspect.signature(plain.forward).parameters)
        self._config = plain.config
        self.can_rewind = all(type(layer) is DynamicLayer for layer in DynamicCache(config=plain.config).layers)
        """Whether all layers keep all that they have read; a sliding window drops what stood before."""
        self._pad = loaded.tokenizer.pad_token_id or 0
        kind = torch.device(loaded.device).type
        self._at_once = TOKENS_AT_ONCE.get(kind, inf) if self.can_rewind else inf

    def read(
        self, rows: Sequence[list[int]], keep: int = 1, width: int | None = None, *, share: bool = True
    ) -> tuple[Read, torch.Tensor]:
        """Read `rows` in one pass, padded on the left.

        Args:
            rows: token ids, at least one each.
            keep: positions at the right end whose logits are wanted.
            width: columns to which the batch is padded; None for as many as the longest row needs.
            share: read what all rows begin with only once, where that pays.

        Returns:
            What was read, and the logits (rows, keep, vocabulary).
        """
        shared = _shared(rows, keep) if share and self.can_rewind else 0
        return self._read_behind(self._begin(rows[0][:shared]), rows, keep, width)

    def read_in_passes(
        self, rows: Sequence[list[int]], ahead: Sequence[int]
    ) -> Iterator[tuple[slice, Read, torch.Tensor]]:
        """Read `rows` in as many passes as are faster than one, and what all of them begin with only once.

        Args:
            rows: token ids, at least one each, the longest in front.
            ahead: of each row, how many positions before its last one have logits that are wanted too.

        Yields:
            Which rows, what was read of them, and their logits (rows, 1 + most of `ahead`, vocabulary).
        """
        shared = _shared(rows, 1 + max(ahead)) if self.can_rewind else 0
        begun = self._begin(rows[0][:shared])
        own = [max(len(row) - shared, 1 + wanted) for row, wanted in zip(rows, ahead, strict=True)]
        for part in _passes(own, self._at_once):
            yield part, *self._read_behind(begun, rows[part], 1 + max(ahead[part]))

    def _begin(self, shared: list[int]) -> Read:
        """What all rows begin with, read of one row; it may be nothing."""
        nothing = torch.ones(1, 0, dtype=torch.long, device=self._loaded.model.device)
        read = Read(DynamicCache(config=self._config), nothing)
        if shared:
            self._read_on(read, [shared], len(shared), 1)
        return read

    def _read_behind(
        self, begun: Read, rows: Sequence[list[int]], keep: int, width: int | None = None
    ) -> tuple[Read, torch.Tensor]:
        """Read `rows` behind what was begun, of which all have a copy."""
        shared = begun.mask.shape[1]
        width = width or max(keep, max(map(len, rows)) - shared)
        if shared:
            # Shorter rows read the end of it once more, in the place of padding, which stands on the left only: some
            # architectures measure distances in columns, whatever the position ids.
            read = begun.repeated([max(0, len(row) - width) for row in rows])
        else:
            read = Read(DynamicCache(config=self._config), begun.mask.expand(len(rows), -1))
        return read, self._read_on(read, [row[-width:] for row in rows], width, keep)

    def _read_on(self, read: Read, rows: Sequence[list[int]], width: int, keep: int) -> torch.Tensor:
        """Read `rows`, padded on the left, behind what was read."""
        device = self._loaded.model.device
        ids = torch.tensor([[self._pad] * (width - len(row)) + row for row in rows], device=device)
        more = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=device)
        read.mask = torch.cat([read.mask, more], dim=1)
        positions = (read.mask.cumsum(-1) - 1).clamp(min=0)[:, -width:]
        return self._forward(ids, read.mask, positions, read.cache, keep)

    def go_on(self, read: Read, rows: Sequence[list[int]], keep: int = 1) -> torch.Tensor:
        """Read more behind what was read, padded on the right.

        Returns:
            The logits of the last `keep` columns, (rows, keep, vocabulary).
        """
        device, width = self._loaded.model.device, max(map(len, rows))
        ids = torch.tensor([row + [self._pad] * (width - len(row)) for row in rows], device=device)
        more = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows], device=device)
        positions = read.mask.sum(-1, keepdim=True) + torch.arange(width, device=device)
        if self._loaded.context_length is not None:
            # Padding, and rows that are done and stay for the batch's shape, may reach beyond the last position.
            positions = positions.clamp(max=self._loaded.context_length - 1)
        read.mask = torch.cat([read.mask, more], dim=1)
        return self._forward(ids, read.mask, positions, read.cache, keep)

    def _forward(
        self, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, cache: Any, keep: int
    ) -> torch.Tensor:
        offered: dict[str, Any] = {"position_ids": positions, "logits_to_keep": keep}
        taken = {name: value for name, value in offered.items() if name in self.takes}
        out = self._loaded.model(input_ids=ids, attention_mask=mask, past_key_values=cache, use_cache=True, **taken)
        return out.logits[:, -keep:]  # type: ignore[no-any-return]  # logits have no type


def plain_model(model: Any) -> Any:
    """The model itself, without the adapter that may be around it."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def keeps_keys_and_values(config: Any) -> bool:
    """Whether all layers of such a model remember what they have read as keys and values, in a window or all of it."""
    return all(isinstance(layer, DynamicLayer) for layer in DynamicCache(config=config).layers)


def _passes(lengths: Sequence[int], at_once: float) -> Iterator[slice]:
    """Rows side by side whose tokens, with the padding between them, come to at most `at_once`; at least one row."""
    start = 0
    for end in range(1, len(lengths) + 1):
        if end == len(lengths) or max(lengths[start : end + 1]) * (end + 1 - start) > at_once:
            yield slice(start, end)
            start = end


def _shared(rows: Sequence[list[int]], keep: int) -> int:
    """How many tokens all rows begin with, less those of the longest whose logits are wanted."""
    if len(rows) < 2:
        return 0
    first, last = min(rows), max(rows)  # whatever these two have in common, all that lie between them have too
    most = max(0, min(len(first), max(map(len, rows)) - keep))
    count = next((n for n in range(min(most, len(last))) if first[n] != last[n]), most)
    return count if count >= LEAST_SHARED else 0


def _gathered(states: torch.Tensor, sources: torch.Tensor) -> torch.Tensor:
    """Of (rows, heads, columns, size) the columns that `sources` (rows, columns) names."""
    rows, heads, _, size = states.shape
    return states.gather(2, sources[:, None, :, None].expand(rows, heads, sources.shape[1], size))
