"""One of promptfoo's assertions as a check of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from pytest_forgetting.suites.checks import NAMES, BadCheck, read_check

_OURS_ALONE = {"number", "mentions", "sentence-count", "finished"}
"""Names that mean nothing in promptfoo."""
_SHARED = set(NAMES) - _OURS_ALONE
_TELLING = {"type", "value", "threshold", "metric", "weight"}
_SEVERAL = ("contains-any", "contains-all", "icontains-any", "icontains-all")
_SCHEMAS = ("is-json", "contains-json")


class NotCarried(Exception):
    """Why something is not carried over."""


def content_of(file: Path) -> str:
    """The text of a file that the configuration names.

    Raises:
        NotCarried: it cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise NotCarried("the file is not UTF-8") from None
    except OSError as error:
        raise NotCarried(f"the file cannot be read: {error.strerror}") from None


def check_of(
    given: Any, rendered: Callable[[str], str], beside: Callable[[str], Path]
) -> tuple[dict[str, Any], list[str]]:
    """The check, and the keys that are left behind though it is carried over.

    Args:
        given: the assertion as it stands there.
        rendered: puts variables into texts.
        beside: finds a file that the configuration names.

    Raises:
        NotCarried: suites have no such check, or it takes another value there.
    """
    if not isinstance(given, dict) or "type" not in given:
        raise NotCarried("wanted an assertion with its type")
    kind = str(given["type"])
    plain = kind.removeprefix("not-")
    if plain not in _SHARED:
        raise NotCarried("suites have no such check")
    for name in given:
        if name not in _TELLING:
            raise NotCarried(f"it has '{name}', which checks do not have")
    if given.get("weight") == 0:
        raise NotCarried("its weight is 0: it is not to count")
    if given.get("threshold") is not None and plain != "levenshtein":
        raise NotCarried("it has a threshold")
    check = {"type": kind, **_value(plain, given.get("value"), rendered, beside)}
    if plain == "levenshtein" and given.get("threshold") is not None:
        check["threshold"] = given["threshold"]
    try:
        read_check(check, (), allow_python=False)
    except BadCheck as error:
        raise NotCarried(str(error)) from None
    return check, [name for name in ("weight", "metric") if given.get(name) not in (None, 1)]


def _value(plain: str, value: Any, rendered: Callable[[str], str], beside: Callable[[str], Path]) -> dict[str, Any]:
    if plain == "is-refusal" or value is None:
        return {}
    if isinstance(value, str) and value.startswith(("javascript:", "python:", "file://")) and plain not in _SCHEMAS:
        raise NotCarried("its value is code or a file")
    if isinstance(value, str) and value.startswith("file://"):
        value = _schema(content_of(beside(value)))
    elif isinstance(value, str):
        value = rendered(value)
        value = _schema(value) if plain in _SCHEMAS else value
    if plain in _SEVERAL:
        texts = value.split(",") if isinstance(value, str) else value
        value = [rendered(str(each).strip()) for each in texts] if isinstance(texts, list) else texts
    return {"value": value}


def _schema(text: str) -> Any:
    try:
        return json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError):
        raise NotCarried("its value is no JSON Schema") from None
