"""What lies in a checkpoint's folder, read without transformers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pytest_forgetting.errors import CannotAnswer, WrongUsage

CONFIG = "config.json"
ADAPTER_CONFIG = "adapter_config.json"
VOCABULARIES = (
    "tokenizer.json",
    "tokenizer.model",
    "vocab.json",
    "vocab.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tekken.json",
    "*.tiktoken",
)
"""A folder with one of these has a tokenizer of its own."""
_BESIDE_VOCABULARY = ("merges.txt", "added_tokens.json", "special_tokens_map.json")


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in `path`.

    Raises:
        CannotAnswer: it is none, or cannot be read.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CannotAnswer(f"{path} cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise CannotAnswer(f"{path} holds {type(value).__name__} where a JSON object is wanted")
    return value


def weight_files(folder: Path, *, allow_pickle: bool) -> list[Path]:
    """The files that hold the full weights, as transformers chooses them; empty where there are none.

    Raises:
        WrongUsage: an index names a file that is missing.
        CannotAnswer: config or index is no JSON.
    """
    named = read_json(folder / CONFIG).get("transformers_weights") if (folder / CONFIG).is_file() else None
    if isinstance(named, str) and (Path(named).name != named or not named.endswith(".safetensors")):
        raise CannotAnswer(f"{folder / CONFIG}: 'transformers_weights' is {named!r:.60}; wanted a .safetensors file")
    singles = [named] if isinstance(named, str) else ["model.safetensors"]
    if allow_pickle:
        singles.append("pytorch_model.bin")
    for single in singles:
        if (folder / single).is_file():
            return [folder / single]
        if (folder / f"{single}.index.json").is_file():
            return _shards(folder / f"{single}.index.json")
    return []


def has_pickled_weights(folder: Path) -> bool:
    """Whether there are full weights in pickle format."""
    return any((folder / name).is_file() for name in ("pytorch_model.bin", "pytorch_model.bin.index.json"))


def adapter_weights(folder: Path, *, allow_pickle: bool) -> Path | None:
    """The file that holds an adapter's weights, as peft chooses it."""
    names = ["adapter_model.safetensors", *(["adapter_model.bin"] if allow_pickle else [])]
    return next((folder / name for name in names if (folder / name).is_file()), None)


def has_tokenizer(folder: Path) -> bool:
    """Whether the folder brings a vocabulary."""
    return any(_matching(folder, VOCABULARIES))


def tokenizer_files(folder: Path) -> list[Path]:
    """All files that a tokenizer is made of, less tokenizer_config.json."""
    return list(_matching(folder, (*VOCABULARIES, *_BESIDE_VOCABULARY)))


def code_files(folder: Path) -> list[Path]:
    """Python files beside the weights; --trust-remote-code runs them."""
    return list(_matching(folder, ("*.py",)))


def _matching(folder: Path, patterns: Iterable[str]) -> Iterable[Path]:
    return (path for pattern in patterns for path in sorted(folder.glob(pattern)) if path.is_file())


def _shards(index: Path) -> list[Path]:
    mapping = read_json(index).get("weight_map")
    if not isinstance(mapping, dict) or not mapping:
        raise CannotAnswer(f"{index} has no 'weight_map', so it does not tell where the weights are")
    names = sorted({str(name) for name in mapping.values()})
    suffix = ".bin" if ".bin." in index.name else ".safetensors"
    odd = next((name for name in names if Path(name).name != name or not name.endswith(suffix)), None)
    if odd is not None:
        raise CannotAnswer(f"{index} names {odd!r:.60}; wanted a {suffix} file beside it")
    shards = [index.parent / name for name in names]
    missing = [shard.name for shard in shards if not shard.is_file()]
    if missing:
        raise WrongUsage(f"{index.parent} is incomplete: {index.name} names {', '.join(missing[:3])}, which is missing")
    return shards
