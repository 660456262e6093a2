"""The chat template that comes with a tokenizer, read as transformers would choose it but without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_forgetting.errors import CannotAnswer
from pytest_forgetting.models.folder import read_json


def chat_template_in(folder: Path) -> str | None:
    """The default chat template of the tokenizer in `folder`, None where it has none.

    A file of its own goes before tokenizer_config.json, as in transformers 5.

    Raises:
        CannotAnswer: one of the files cannot be read.
    """
    own = folder / "chat_template.jinja"
    if own.is_file():
        return _text(own)
    for name in ("tokenizer_config.json", "chat_template.json"):
        settings = read_json(folder / name) if (folder / name).is_file() else {}
        if (template := default_template(settings.get("chat_template"))) is not None:
            return template
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise CannotAnswer(f"{path} cannot be read: {error}") from None


def default_template(value: Any) -> str | None:
    """Of several templates the one named default; None where there is none."""
    if isinstance(value, list):
        named = [entry for entry in value if isinstance(entry, dict) and "name" in entry]
        value = {entry["name"]: entry.get("template") for entry in named}
    if isinstance(value, dict):
        value = value.get("default")
    return value if isinstance(value, str) else None
