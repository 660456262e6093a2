"""Training data, in whichever of the usual forms it comes, as examples that say what of them is to be learned."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.suites.prompts import DEFAULT_TEMPLATE

FORMS = (
    "wanted a text, {text: …}, {prompt: …, completion: …}, {question: …, answer: …},"
    " or {messages: [{role: …, content: …}, …]}"
)
_PROMPTS, _COMPLETIONS = ("prompt", "question", "input"), ("completion", "answer", "output", "response")
DOMAIN, REPLAY = "domain", "replay"


@dataclass(frozen=True, slots=True)
class Example:
    """One text to learn from: plain, or behind a prompt that is read and not learned, or a chat."""

    prompt: str = ""
    """Read, not learned."""
    text: str = ""
    """Learned; empty for a chat."""
    messages: tuple[tuple[str, str], ...] = ()
    """(role, content) turns; the assistant's are learned."""
    source: str = DOMAIN
    """Where it comes from: a row's own column `source`, else what it is mixed in as."""
    whole: bool = True
    """The end token is learned behind it; not where `text` was broken off."""


def read_examples(dataset: Any, source: str = DOMAIN) -> list[Example]:
    """Read training data.

    Args:
        dataset: a `datasets.Dataset`, the path of a ``.jsonl`` file, or any iterable of texts or mappings. A mapping
            has a `text`; or a `prompt` and a `completion` (`answer`); or a `question` and an `answer`, which are put
            into the template that suites use by default; or `messages`.
        source: of examples that have no column `source`.

    Raises:
        WrongUsage: there is none, or one is of another form; the message says which.
    """
    where, rows = _rows(dataset)
    examples = [_sourced(_example(row, f"{where}{number}"), row, source) for number, row in rows]
    if not examples:
        raise WrongUsage(f"{where.rstrip(':')}: no training data; {FORMS}")
    return examples


def digest(examples: Iterable[Example]) -> str:
    """SHA-256 (hex) over the examples in their order, for manifests and cache keys."""
    content = [[each.prompt, each.text, [list(turn) for turn in each.messages], each.whole] for each in examples]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _rows(dataset: Any) -> tuple[str, Iterator[tuple[int, Any]]]:
    if not isinstance(dataset, str | Path):
        return "row ", enumerate(dataset, 1)
    path = Path(dataset)
    if path.suffix != ".jsonl" or not path.is_file():
        raise WrongUsage(f"{path}: wanted a .jsonl file that exists")
    return f"{path}:", _lines(path)


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUsage(f"{path}: cannot be read: {error}") from None
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError as error:
                raise WrongUsage(f"{path}:{number}: is no JSON: {error}") from None


def _sourced(example: Example, row: Any, source: str) -> Example:
    own = row.get("source") if isinstance(row, Mapping) else None
    return replace(example, source=own if isinstance(own, str) else source)


def _example(row: Any, where: str) -> Example:
    if isinstance(row, Example):
        return row
    if isinstance(row, str):
        return _checked(Example(text=row), where, row)
    if not isinstance(row, Mapping):
        raise WrongUsage(f"{where}: found {row!r:.60}; {FORMS}")
    if "messages" in row:
        return _chat(row["messages"], where)
    if "text" in row:
        return _checked(Example(text=row["text"]), where, row)
    asked = next((name for name in _PROMPTS if name in row), None)
    answer = next((name for name in _COMPLETIONS if name in row), None)
    if asked is None or answer is None:
        raise WrongUsage(f"{where}: found the keys {', '.join(map(str, row)) or '(none)'}; {FORMS}")
    if asked != "question":
        return _checked(Example(row[asked], row[answer]), where, row)
    return _checked(Example(DEFAULT_TEMPLATE.replace("{question}", str(row[asked])), f" {row[answer]}\n"), where, row)


def _checked(example: Example, where: str, row: Any) -> Example:
    if not isinstance(example.prompt, str) or not isinstance(example.text, str) or not example.text.strip():
        raise WrongUsage(f"{where}: found {row!r:.80}; wanted texts, and something to learn in them")
    return example


def _chat(messages: Any, where: str) -> Example:
    try:
        turns = tuple((str(turn["role"]), str(turn["content"])) for turn in messages)
    except (TypeError, KeyError):
        raise WrongUsage(f"{where}: messages: found {messages!r:.60}; wanted [{{role: …, content: …}}, …]") from None
    if not any(role == "assistant" for role, _ in turns):
        raise WrongUsage(f"{where}: messages: no turn of the assistant; there is nothing to learn")
    return Example(messages=turns)
