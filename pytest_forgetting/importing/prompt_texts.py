"""promptfoo's prompts: where their texts stand, and how variables are put into them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_forgetting.importing.assertions import NotCarried, content_of
from pytest_forgetting.importing.carried import Carried, why_unusable
from pytest_forgetting.suites.positions import Document

ROLES = ("system", "user", "assistant")
_FIELD = re.compile(r"\{\{\s*([A-Za-z_][\w.]*)\s*\}\}")
_LOGIC = re.compile(r"\{\{|\{%|\{#")
_SEPARATOR = re.compile(r"^---\s*$", re.MULTILINE)


def listed(value: Any) -> list[Any]:
    """`value` as a list: promptfoo takes one or several in many places."""
    return value if isinstance(value, list) else [] if value is None else [value]


def beside(config: Path, name: str) -> Path:
    """A file that the configuration names.

    Raises:
        NotCarried: it lies outside the configuration's folder, or is not there.
    """
    folder = config.parent.resolve()
    try:
        file = (folder / name.removeprefix("file://")).resolve()
        there = file.is_file()
    except (OSError, ValueError, RuntimeError):  # names too long, with a null byte, links in a circle
        raise NotCarried("it is no name of a file") from None
    if not file.is_relative_to(folder):
        raise NotCarried("the file lies outside the configuration's folder")
    if not there:
        raise NotCarried("there is no such file")
    return file


def prompts(config: Path, document: Document, carried: Carried) -> Iterator[tuple[str, str]]:
    """Each prompt's text, and where it is named."""
    several = isinstance(document.value["prompts"], list)
    for n, given in enumerate(listed(document.value["prompts"])):
        place = document.where(["prompts", n] if several else ["prompts"])
        text = given.get("raw") or given.get("id") if isinstance(given, dict) else given
        try:
            for each in _texts(config, text):
                _see_plain(each)
                yield each, place
        except NotCarried as why:
            carried.leave(place, f"prompt {short(text)}", str(why))


def _texts(config: Path, text: Any) -> list[str]:
    if not isinstance(text, str):
        raise NotCarried("wanted a text or a file")
    if not text.startswith("file://"):
        return [text]
    file = beside(config, text)
    if file.suffix not in (".txt", ".md", ".json"):
        raise NotCarried("only prompts of .txt, .md and .json files are carried over")
    content = content_of(file)
    parts = [content] if file.suffix == ".json" else _SEPARATOR.split(content)
    return [part.strip() for part in parts if part.strip()]


def rendered(text: str, chosen: Mapping[str, Any]) -> str:
    """`text` with its variables.

    Raises:
        NotCarried: it has more than variables in it, or one that has no value.
    """

    def value(match: re.Match[str]) -> str:
        found: Any = chosen
        for part in match[1].split("."):
            if not isinstance(found, Mapping) or part not in found:
                raise NotCarried(f"the variable '{match[1]}' has no value")
            found = found[part]
        if isinstance(found, str) and found.startswith("file://"):
            raise NotCarried(f"the variable '{match[1]}' is a file")
        return found if isinstance(found, str) else json.dumps(found)

    _see_plain(text)
    rendered = _FIELD.sub(value, text)
    if (why := why_unusable(rendered)) is not None:
        raise NotCarried(why)
    return rendered


def _see_plain(text: str) -> None:
    if _LOGIC.search(_FIELD.sub("", text)):
        raise NotCarried("it has more of the template language in it than variables")


def asked(prompt: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The prompt with its variables; one that is a chat in JSON is asked as such, whatever quotes its variables hold.

    Raises:
        NotCarried: as `rendered`; its turns are none that suites have.
    """
    try:
        turns = json.loads(prompt)
    except ValueError:
        return {"prompt": rendered(prompt, chosen)}
    if not (isinstance(turns, list) and turns and all(isinstance(turn, dict) and "role" in turn for turn in turns)):
        return {"prompt": rendered(prompt, chosen)}
    return {"messages": [_turn(turn, chosen) for turn in turns]}


def _turn(turn: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, str]:
    content = turn.get("content")
    if turn.keys() != {"role", "content"} or turn["role"] not in ROLES or not isinstance(content, str):
        raise NotCarried(f"a turn of it is none of {', '.join(ROLES)} with a text")
    return {"role": turn["role"], "content": rendered(content, chosen)}


def short(value: Any) -> str:
    """The start of what a message names, in one line."""
    text = str(value).replace("\n", " ")
    return text if len(text) <= 60 else f"{text[:60]}…"
