"""What a tokenizer's files tell about it, read without loading it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_forgetting.errors import CannotAnswer
from pytest_forgetting.models.folder import read_json

TOKENIZER = "tokenizer.json"
SETTINGS = "tokenizer_config.json"
NAMED = ("bos_token", "eos_token", "unk_token", "pad_token")
STEPS = ("normalizer", "pre_tokenizer", "model", "post_processor", "decoder")
"""Of tokenizer.json: what happens to a text on its way to tokens and back."""
READ = {TOKENIZER, "vocab.json", "vocab.txt", "added_tokens.json", "special_tokens_map.json"}
"""Files that are read here; of others it can only be told that they differ."""
_GENERIC = (None, "TokenizersBackend", "PreTrainedTokenizerFast")
"""Classes without special tokens of their own: what their settings do not name, they do not have."""


@dataclass(frozen=True)
class TokenizerFiles:
    """A tokenizer as its files describe it."""

    vocabulary: Mapping[str, int] | None
    """Token ids, added tokens among them; None where they are kept in a form that is neither JSON nor text."""
    named: Mapping[str, str | None]
    """`NAMED` tokens; those that the files leave to the tokenizer's class are missing."""
    special: frozenset[str]
    """Tokens that do not show in decoded text."""
    steps: Mapping[str, Any]
    """`STEPS` less the vocabulary, in one spelling; empty without a tokenizer.json."""

    def id_of(self, name: str) -> int | None:
        """The id of a `NAMED` token."""
        token = self.named.get(name)
        return None if token is None else (self.vocabulary or {}).get(token)


def read_tokenizer(folder: Path) -> TokenizerFiles:
    """The tokenizer in `folder`; whatever it lacks is left empty.

    Raises:
        CannotAnswer: one of its JSON files cannot be read.
    """
    whole, settings = (_optional(folder / name) for name in (TOKENIZER, SETTINGS))
    told = {**_optional(folder / "special_tokens_map.json"), **settings}
    added = list(_added(whole, settings))
    model = whole.get("model")
    vocabulary = _vocabulary(model) if isinstance(model, dict) else _loose_vocabulary(folder)
    if vocabulary is not None:
        vocabulary.update((content, number) for content, number, _ in added)
    named = _named(told)
    further = [*_listed(told.get("additional_special_tokens")), *_listed(told.get("extra_special_tokens"))]
    marked = [content for content, _, special in added if special]
    special = {*marked, *further, *(token for token in named.values() if token is not None)}
    steps = {step: _plain(whole.get(step)) for step in STEPS} if whole else {}
    return TokenizerFiles(vocabulary, named, frozenset(special), steps)


def _optional(path: Path) -> dict[str, Any]:
    return read_json(path) if path.is_file() else {}


def _added(whole: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[tuple[str, int, bool]]:
    """Tokens beside the vocabulary: (content, id, whether special)."""
    kept, decoder = whole.get("added_tokens"), settings.get("added_tokens_decoder")
    entries = [entry for entry in kept if isinstance(entry, dict)] if isinstance(kept, list) else []
    if isinstance(decoder, dict):
        numbered = ((number, entry) for number, entry in decoder.items() if number.isdecimal())
        entries += [{"id": int(number), **entry} for number, entry in numbered if isinstance(entry, dict)]
    for entry in entries:
        if isinstance(entry.get("content"), str) and isinstance(entry.get("id"), int):
            yield entry["content"], entry["id"], entry.get("special") is True


def _vocabulary(model: Mapping[str, Any]) -> dict[str, int] | None:
    entries = model.get("vocab")
    if isinstance(entries, dict):
        return {token: number for token, number in entries.items() if isinstance(number, int)}
    if isinstance(entries, list):  # Unigram: pairs of token and score, in the order of their ids
        return {str(entry[0]): n for n, entry in enumerate(entries) if isinstance(entry, list) and entry}
    return None


def _loose_vocabulary(folder: Path) -> dict[str, int] | None:
    """The vocabulary of older formats, kept in files of its own."""
    if (folder / "vocab.json").is_file():
        return _vocabulary({"vocab": {**read_json(folder / "vocab.json"), **_optional(folder / "added_tokens.json")}})
    if (folder / "vocab.txt").is_file():
        try:
            lines = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError) as error:
            raise CannotAnswer(f"{folder / 'vocab.txt'} cannot be read: {error}") from None
        return {token: n for n, token in enumerate(lines)}
    return None


def _named(told: Mapping[str, Any]) -> dict[str, str | None]:
    complete = told.get("tokenizer_class") in _GENERIC
    return {name: _content(told.get(name)) for name in NAMED if complete or name in told}


def _listed(tokens: Any) -> list[str]:
    entries = tokens.values() if isinstance(tokens, dict) else tokens if isinstance(tokens, list) else ()
    return [content for content in map(_content, entries) if content is not None]


def _content(token: Any) -> str | None:
    """A token's text; files spell it as such or with its properties."""
    text = token.get("content") if isinstance(token, dict) else token
    return text if isinstance(text, str) else None


def _plain(value: Any) -> Any:
    """The same whichever version wrote it: they differ in the defaults they leave out, and in how they write merges."""
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    spelled = {key: entry for key, entry in value.items() if entry is not None and entry is not False}
    if "vocab" in spelled:
        return _plain_model(spelled)
    return {key: _plain(entry) for key, entry in spelled.items()}


def _plain_model(model: dict[str, Any]) -> dict[str, Any]:
    vocab, merges = model.pop("vocab"), model.pop("merges", None)
    if isinstance(vocab, list):
        model["scores"] = [entry[1:] for entry in vocab if isinstance(entry, list)]
    if isinstance(merges, list):
        model["merges"] = [" ".join(map(str, pair)) if isinstance(pair, list) else pair for pair in merges]
    return model
