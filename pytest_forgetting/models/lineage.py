"""What a tuned model records about the model it was tuned from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.models.folder import ADAPTER_CONFIG, read_json

_CARD = "README.md"
_FENCE = "---"


def base_of_adapter(folder: Path) -> str | None:
    """The base that adapter_config.json names, with its revision; None where it names none."""
    config = read_json(folder / ADAPTER_CONFIG)
    name, revision = config.get("base_model_name_or_path"), config.get("revision")
    if not isinstance(name, str) or not name:
        return None
    return f"{name}@{revision}" if isinstance(revision, str) and revision and not _is_path(name) else name


def base_in_card(folder: Path) -> str | None:
    """The base that the model card's front matter names (`base_model:`), None where it names none.

    Raises:
        WrongUsage: it names several, as merged models do.
    """
    named = _front_matter(folder / _CARD).get("base_model")
    names = [named] if isinstance(named, str) else named if isinstance(named, list) else []
    if len(names) > 1:
        shown = ", ".join(str(name) for name in names)
        raise WrongUsage(f"{folder / _CARD} names several bases ({shown}); choose one with --baseline REF")
    return str(names[0]) if names else None


def _is_path(name: str) -> bool:
    return name.startswith(("/", ".", "~")) or Path(name).is_dir()


def _front_matter(card: Path) -> dict[str, Any]:
    """The YAML between the first two fences; empty where there is none that can be read."""
    import yaml

    try:
        lines = card.read_text(encoding="utf-8").splitlines()
        if not lines or lines[0].strip() != _FENCE:
            return {}
        value = yaml.safe_load("\n".join(lines[1 : lines.index(_FENCE, 1)]))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return value if isinstance(value, dict) else {}
