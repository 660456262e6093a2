"""Through which chat template each side is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_forgetting.errors import WrongUsage

if TYPE_CHECKING:
    from pytest_forgetting.answers.sides import SideName
    from pytest_forgetting.models.references import LocalModel


@dataclass(frozen=True)
class Templates:
    """The choice, and what is odd about it."""

    by_side: Mapping[SideName, str | None]
    """None: plain text."""
    notes: list[str] = field(default_factory=list)


def choose_templates(which: str, models: Mapping[SideName, LocalModel]) -> Templates:
    """Choose for each live side.

    Args:
        which: own, baseline, model, none, or a template's file.
        models: the live sides; a recording was asked as it was asked.

    Raises:
        WrongUsage: the template asked for is missing.
    """
    if which == "own":
        return _own({name: model.chat_template for name, model in models.items()})
    if which == "none":
        return Templates(dict.fromkeys(models))
    return Templates(dict.fromkeys(models, _named(which, models)))


def _named(which: str, models: Mapping[SideName, LocalModel]) -> str:
    if which not in ("baseline", "model"):
        return Path(which).read_text(encoding="utf-8")
    side: SideName = "baseline" if which == "baseline" else "model"
    if side not in models:
        raise WrongUsage(f"--chat-template {which}: the {which} is a recording, which has no template to give")
    template = models[side].chat_template
    if template is None:
        raise WrongUsage(f"--chat-template {which}: {models[side].ref} has no chat template")
    return template


def _own(templates: dict[SideName, str | None]) -> Templates:
    """Each its own; a tuned checkpoint that lost its template gets the baseline's."""
    notes = []
    if len(templates) == 2:
        had, has = templates["baseline"], templates["model"]
        if had is not None and has is None:
            templates["model"] = had
            notes.append("the model has lost its chat template; it is asked through the baseline's")
        elif had is None and has is not None:
            notes.append("only the model has a chat template; the baseline is asked in plain text")
        elif had != has:
            notes.append("the chat templates differ; each side is asked through its own")
    return Templates(templates, notes)
