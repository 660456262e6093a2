"""How two tokenizers differ: special tokens, vocabulary, and the way from text to tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_forgetting.comparison.comparison import Finding
from pytest_forgetting.models.tokenizer_files import STEPS, TOKENIZER, TokenizerFiles

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SHOWN = 3
"""Tokens named of many."""
PROBES = (
    "",
    "The quick brown fox doesn't jump; it's 12,345.67 km away!",
    "  two blanks,\ttab\n\n    indented(code) == [1, 2]\r\n",
    "Übergrößenträger, cafe\u0301, naïve, ΑΒΓ, привет, 日本語, العربية, ﬁ",
    "🙂👩‍🚀 <b>HTML</b> https://example.org/a?b=c&d=%20 snake_case CamelCase",
)
"""Texts of many kinds; tokenizers that are written differently are told apart by what they make of these."""


def tokenizer_findings(
    had: TokenizerFiles, has: TokenizerFiles, rows: tuple[int | None, int | None], folders: tuple[Path, Path]
) -> Iterator[Finding]:
    """Tell what differs.

    Args:
        had: the baseline's tokenizer.
        has: the model's.
        rows: of both embeddings, None where that is not known.
        folders: of both tokenizers.
    """
    yield from _special(had, has)
    yield from _vocabulary(had, has, rows)
    if not _moved(had, has):  # else nothing would be split alike, and nothing new be said
        yield from _steps(had, has, folders)


def _special(had: TokenizerFiles, has: TokenizerFiles) -> Iterator[Finding]:
    changed = {
        name: f"{name} is {has.named[name]} with the model, {had.named[name]} with the baseline"
        for name in had.named
        if name in has.named and had.named[name] != has.named[name]
    }
    padding = changed.pop("pad_token", None)
    told = [*changed.values(), *_hidden(had, has)]
    if told:
        advice = "copy the baseline's tokenizer files unless the model was trained so"
        yield Finding("special-tokens", "warning", f"{'; '.join(told)}: {advice}")
    if padding is not None:
        yield Finding("special-tokens", "info", f"{padding}: padding is masked here and changes no answer{_trap(has)}")


def _trap(has: TokenizerFiles) -> str:
    pad = has.named.get("pad_token")
    if pad is None or pad != has.named.get("eos_token"):
        return ""
    return "; but a training that masks padding then masks the end of every answer, and the model never learns to end"


def _hidden(had: TokenizerFiles, has: TokenizerFiles) -> Iterator[str]:
    """Tokens of both vocabularies that only one side leaves out of its answers."""
    if had.vocabulary is None or has.vocabulary is None:
        return
    shared = had.vocabulary.keys() & has.vocabulary.keys()
    named = {token for side in (had, has) for token in side.named.values()}
    for only, who in ((has.special - had.special, "model"), (had.special - has.special, "baseline")):
        if telling := sorted((only & shared) - named):
            yield f"{some(telling)} {_are(telling)} special, and left out of answers, only with the {who}"


def _vocabulary(had: TokenizerFiles, has: TokenizerFiles, rows: tuple[int | None, int | None]) -> Iterator[Finding]:
    if had.vocabulary is None or has.vocabulary is None:
        return
    added, removed = (_less(has.vocabulary, had.vocabulary), _less(had.vocabulary, has.vocabulary))
    told = []
    if added:
        told.append(f"the model's tokenizer has {_tokens(added)} that the baseline's lacks ({some(added)})")
    if removed:
        told.append(f"it lacks {_tokens(removed)} of the baseline's ({some(removed)})")
    if moved := _moved(had, has):
        told.append(f"it gives {_tokens(moved)} another id ({some(moved)})")
    known = None not in rows
    grown = f"the embeddings have {rows[1]} rows, the baseline's {rows[0]}" if known and rows[0] != rows[1] else ""
    if told:
        advice = _advice(has.vocabulary, rows[1], other=bool(removed or moved))
        yield Finding("vocabulary", "warning", "; ".join([*told, *([grown] if grown else [])]) + advice)
    elif grown:
        unread = _beyond(has.vocabulary, rows[1])
        if unread:
            yield Finding("vocabulary", "warning", grown + _advice(has.vocabulary, rows[1], other=False))
        else:
            yield Finding("vocabulary", "info", f"{grown}, for the same tokens: the rest is padding")


def _advice(vocabulary: Mapping[str, int], rows: int | None, *, other: bool) -> str:
    unread = _beyond(vocabulary, rows)
    if unread:
        return (
            f"; there are {rows} embeddings and none for {some(unread)}, so a prompt with it cannot be read:"
            " resize them (resize_token_embeddings) and train again, or copy the baseline's tokenizer files"
        )
    if other:
        return "; unless the model was trained with it, copy the baseline's tokenizer files"
    return "; answers are compared as text all the same, divergence per token is not"


def _steps(had: TokenizerFiles, has: TokenizerFiles, folders: tuple[Path, Path]) -> Iterator[Finding]:
    if not had.steps or not has.steps:
        return
    differing = [step for step in STEPS if had.steps[step] != has.steps[step]]
    if not differing:
        return
    where = ", ".join("merges or other settings of the model" if step == "model" else step for step in differing)
    seen = _seen(folders)
    if seen is None and "model" not in differing:  # rare merges may be in none of the texts
        detail = f"tokenizer.json is written differently ({where}), but makes the same tokens of {len(PROBES)} texts"
        yield Finding("tokenizer", "info", detail)
        return
    detail = f"the tokenizers differ in {where}" + ("" if seen is None else f": {seen}")
    yield Finding("tokenizer", "warning", f"{detail}; unless the model was trained so, copy the baseline's {TOKENIZER}")


def _seen(folders: tuple[Path, Path]) -> str | None:
    """An example of what the two make differently."""
    from tokenizers import Tokenizer

    try:
        had, has = (_bare(Tokenizer.from_file(str(folder / TOKENIZER))) for folder in folders)
    except Exception:  # the Rust library raises nothing more exact; loading the model tells what is wrong
        return "one of them cannot be read by this version of tokenizers"
    for text in PROBES:
        before, after = had.encode(text), has.encode(text)
        if before.ids != after.ids:
            return f"{text[:20]!r}… begins {_first(after.tokens)} with the model, {_first(before.tokens)} before"
        if had.decode(before.ids) != has.decode(before.ids):
            return f"the tokens of {text[:20]!r}… are not written as the same text"
    return None


def _bare(tokenizer: Tokenizer) -> Tokenizer:
    """What was left of a training's batches takes no part: transformers sets both for each call."""
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _first(tokens: list[str]) -> str:
    return " ".join(tokens[:SHOWN]) or "empty"


def _less(one: Mapping[str, int], other: Mapping[str, int]) -> list[str]:
    return sorted(one.keys() - other.keys(), key=lambda token: (one[token], token))


def _moved(had: TokenizerFiles, has: TokenizerFiles) -> list[str]:
    """Tokens of both with different ids."""
    if had.vocabulary is None or has.vocabulary is None or had.vocabulary == has.vocabulary:
        return []
    now = has.vocabulary
    return [token for token, number in had.vocabulary.items() if now.get(token, number) != number]


def _beyond(vocabulary: Mapping[str, int], rows: int | None) -> list[str]:
    """Tokens that have no embedding."""
    return [] if rows is None else [token for token, number in vocabulary.items() if number >= rows]


def some(tokens: list[str]) -> str:
    """Up to three of `tokens`, and how many more there are."""
    more = len(tokens) - SHOWN
    return ", ".join(tokens[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _tokens(tokens: list[str]) -> str:
    return f"{len(tokens)} token{'s' * (len(tokens) != 1)}"


def _are(tokens: list[str]) -> str:
    return "is" if len(tokens) == 1 else "are"
