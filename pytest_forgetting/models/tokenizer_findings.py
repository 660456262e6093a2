"""How two tokenizers differ: special tokens, vocabulary, and the way from text to tokens."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_forgetting.comparison.participants import Finding
from pytest_forgetting.models.fingerprint import HashMemo, file_digest
from pytest_forgetting.models.folder import tokenizer_files
from pytest_forgetting.models.tokenizer_files import READ, STEPS, TOKENIZER, TokenizerFiles
from pytest_forgetting.models.vocabulary_findings import SHOWN, Rows, moved, some, vocabulary_findings

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PROBES = (
    "The quick brown fox doesn't jump; it's 12,345.67 km away!",
    "  two blanks,\ttab\n\n    indented(code) == [1, 2]\r\n",
    "Übergrößenträger, cafe\u0301, naïve, ΑΒΓ, привет, 日本語, العربية, ﬁ",
    "🙂👩‍🚀 <b>HTML</b> https://example.org/a?b=c&d=%20 snake_case CamelCase",
    "",
)
"""Texts of many kinds; tokenizers that are written differently are told apart by what they make of these."""


def tokenizer_findings(
    had: TokenizerFiles, has: TokenizerFiles, rows: Rows, folders: tuple[Path, Path]
) -> Iterator[Finding]:
    """Tell what differs.

    Args:
        had: the baseline's tokenizer.
        has: the model's.
        rows: of both embeddings, None where that is not known.
        folders: of both tokenizers.
    """
    yield from _special(had, has)
    comparable = True
    if had.vocabulary is not None and has.vocabulary is not None:
        yield from vocabulary_findings(had.vocabulary, has.vocabulary, rows, had.special | has.special)
        comparable = not moved(had.vocabulary, has.vocabulary)
    if comparable:  # else no text would be the same ids, and nothing new be said
        yield from _steps(had, has, folders)


def _special(had: TokenizerFiles, has: TokenizerFiles) -> Iterator[Finding]:
    shared = {name: (had.named[name], has.named[name]) for name in had.named if name in has.named}
    changed = {
        name: f"{name} is {now or 'not set'} with the model, {before or 'not set'} with the baseline"
        for name, (before, now) in shared.items()
        if before != now
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


def _steps(had: TokenizerFiles, has: TokenizerFiles, folders: tuple[Path, Path]) -> Iterator[Finding]:
    if not (had.steps and has.steps):
        yield from _unopened(folders)
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


def _unopened(folders: tuple[Path, Path]) -> Iterator[Finding]:
    """Where there is no tokenizer.json to be read on both sides: files of one name with different contents."""
    old, new = folders
    names = sorted({path.name for path in tokenizer_files(old)} & {path.name for path in tokenizer_files(new)} - READ)
    memo = HashMemo()
    differing = [name for name in names if file_digest(old / name, memo) != file_digest(new / name, memo)]
    if differing:
        advice = "copy the baseline's unless the model was trained with its own"
        yield Finding("tokenizer", "warning", f"the tokenizers differ in {', '.join(differing)}; {advice}")


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
            return f"{text[:20]!r}… {_apart(before.tokens, after.tokens)}"
        if had.decode(before.ids) != has.decode(before.ids):
            return f"the tokens of {text[:20]!r}… are not written as the same text"
    return None


def _bare(tokenizer: Tokenizer) -> Tokenizer:
    """What was left of a training's batches takes no part: transformers sets both for each call."""
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _apart(had: list[str], has: list[str]) -> str:
    """What the two lists of tokens have where they first differ."""
    place = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(had, has, strict=False))))
    before, now = (" ".join(tokens[place : place + SHOWN]) or "nothing" for tokens in (had, has))
    return f"becomes {before} with the baseline, {now} with the model"


def _are(tokens: list[str]) -> str:
    return "is" if len(tokens) == 1 else "are"
