"""Greedy answers of a model in this process, by the package's own decoding, without pytest and without a store."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_forgetting.answers.asking import ask
from pytest_forgetting.answers.requests import Conditions, Request
from pytest_forgetting.models.loading import LoadedPair, LoadOptions
from pytest_forgetting.models.references import resolve

if TYPE_CHECKING:
    from pytest_forgetting.answers.answer import Answer
    from pytest_forgetting.models.loading import LoadedModel


def asked(path: Path) -> list[str]:
    """The prompts in a .jsonl file."""
    return [json.loads(line)["prompt"] for line in path.read_text(encoding="utf-8").splitlines()]


def answers_of(
    loaded: LoadedModel, prompts: Sequence[str], new_tokens: int, drafts: Mapping[int, Sequence[int]] | None = None
) -> list[Answer]:
    """The answers to `prompts`, of at most `new_tokens` tokens, without stop strings."""
    requests = [Request(prompt, (), max_new_tokens=new_tokens) for prompt in prompts]
    found: dict[int, Answer] = {}
    ask(loaded, requests, Conditions("", None), found.update, drafts=drafts)
    return [found[n] for n in range(len(prompts))]


def answers(model: Path, prompts: Sequence[str], new_tokens: int) -> list[str]:
    """The same of a model that is loaded for it, as texts."""
    pair = LoadedPair({"model": resolve(str(model))}, LoadOptions(device="cpu", dtype="float32"))
    with pair.speaking("model") as loaded:
        return [answer.text for answer in answers_of(loaded, prompts, new_tokens)]
