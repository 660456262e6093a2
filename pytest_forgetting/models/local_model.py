"""A model that has been found: where its files lie, and what they tell without being loaded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pytest_forgetting.errors import ForgettingError
from pytest_forgetting.models import folder
from pytest_forgetting.models.chat_template import chat_template_in
from pytest_forgetting.models.devices import BYTES
from pytest_forgetting.models.equal_weights import have_equal_weights
from pytest_forgetting.models.fingerprint import HashMemo, combined, files_digest, states, value_digest
from pytest_forgetting.models.parameters import count_parameters, stored_dtype

_WITHOUT_EFFECT = frozenset({"_name_or_path", "name_or_path", "tokenizer_file", "transformers_version"})
"""What saving writes into JSON files about itself: two copies may differ in it and answer alike."""


@dataclass(frozen=True)
class LocalModel:
    """A checkpoint on this machine, with or without an adapter on it."""

    ref: str
    """As the user gave it."""
    weights: Path
    """Folder of the full checkpoint that is loaded."""
    adapter: Path | None
    """Folder of the adapter on it."""
    tokenizer: Path
    """Folder whose tokenizer counts: the adapter's own if it has one, else that of the weights."""
    chat_template: str | None
    allow_pickle: bool = False
    """Whether weights in pickle format, which may run code when they are read, are good enough."""

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over all that determines answers, less the chat template; the same for a copied folder.

        Raises:
            CannotAnswer: a file cannot be read, or is being written.
        """
        _ = self._states  # first: what is written while it is hashed is noticed later
        return self.fingerprint_now()

    @property
    def is_adapter(self) -> bool:
        """Whether it speaks through an adapter."""
        return self.adapter is not None

    def fingerprint_now(self) -> str:
        """The fingerprint of the files as they are at this moment."""
        parts = _checkpoint_parts(self.weights, self.allow_pickle) + _tokenizer_parts(self.tokenizer)
        return combined(parts + ([] if self.adapter is None else _adapter_parts(self.adapter, self.allow_pickle)))

    def is_overwritten(self) -> bool:
        """Whether the files are no longer those of the fingerprint; they are read again only where one was touched."""
        if self._states_now() == self._states:
            return False
        try:
            return self.fingerprint_now() != self.fingerprint
        except ForgettingError:
            return True  # half written, or gone

    @cached_property
    def _states(self) -> dict[Path, str]:
        return self._states_now()

    def _states_now(self) -> dict[Path, str]:
        return states(each for each in (self.weights, self.tokenizer, self.adapter) if each is not None)

    @cached_property
    def weights_fingerprint(self) -> str:
        """The fingerprint that the base has by itself, with its own tokenizer and without the adapter."""
        return self.base().fingerprint

    def base(self, ref: str | None = None) -> LocalModel:
        """The same without its adapter, under another name if need be; itself where there is none."""
        if self.adapter is None and ref is None:
            return self
        template = chat_template_in(self.weights)
        return LocalModel(ref or self.ref, self.weights, None, self.weights, template, self.allow_pickle)

    @cached_property
    def config_dtype(self) -> str | None:
        """The type that the weights are kept in, in torch's name: as the config says, else as the files tell."""
        config = folder.read_json(self.weights / folder.CONFIG)
        told = _dtype_in(config) or _dtype_in(config.get("text_config"))
        return told or stored_dtype(self._weight_files())

    @cached_property
    def parameters(self) -> int:
        """Parameters of the full checkpoint, without the adapter's; an estimate where weights are pickled.

        Raises:
            CannotAnswer: a weight file is truncated.
        """
        return count_parameters(self._weight_files(), self.config_dtype)

    def bytes_in(self, dtype: str, quantization: str) -> float:
        """Bytes of the weights, once they are loaded in `dtype`, or quantised."""
        return self.parameters * BYTES[dtype if quantization == "none" else quantization]

    def has_weights_of(self, other: LocalModel) -> bool:
        """Whether both are full checkpoints with the same weights, whatever else differs."""
        if self.adapter is not None or other.adapter is not None:
            return False
        return have_equal_weights(self._weight_files(), other._weight_files())

    def _weight_files(self) -> list[Path]:
        return folder.weight_files(self.weights, allow_pickle=self.allow_pickle)


def _checkpoint_parts(where: Path, allow_pickle: bool) -> list[tuple[str, str]]:
    config = where / "generation_config.json"
    ends = folder.read_json(config).get("eos_token_id") if config.is_file() else None
    weights = folder.weight_files(where, allow_pickle=allow_pickle)
    return [
        ("weights", files_digest(weights, HashMemo())),
        ("code", files_digest(folder.code_files(where), HashMemo())),
        ("config", _settings_digest(where / folder.CONFIG)),
        ("eos", value_digest(ends)),
    ]


def _tokenizer_parts(where: Path) -> list[tuple[str, str]]:
    return [
        ("tokenizer", files_digest(folder.tokenizer_files(where), HashMemo())),
        ("tokenizer_config", _settings_digest(where / "tokenizer_config.json", "chat_template")),
    ]


def _adapter_parts(where: Path, allow_pickle: bool) -> list[tuple[str, str]]:
    weights = folder.adapter_weights(where, allow_pickle=allow_pickle)
    return [
        ("adapter", files_digest([] if weights is None else [weights], HashMemo())),
        ("adapter_config", _settings_digest(where / folder.ADAPTER_CONFIG, "base_model_name_or_path", "revision")),
    ]


def _settings_digest(path: Path, *left_out: str) -> str:
    settings = folder.read_json(path) if path.is_file() else {}
    return value_digest({name: value for name, value in settings.items() if name not in {*_WITHOUT_EFFECT, *left_out}})


def _dtype_in(config: Any) -> str | None:
    told = (config.get("dtype") or config.get("torch_dtype")) if isinstance(config, dict) else None
    return told.removeprefix("torch.") if isinstance(told, str) and told != "auto" else None
