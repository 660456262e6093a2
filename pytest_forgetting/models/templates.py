"""Through which chat template each side is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_forgetting.comparison.participants import Finding
from pytest_forgetting.errors import WrongUsage

if TYPE_CHECKING:
    from pytest_forgetting.answers.sides import SideName
    from pytest_forgetting.models.given import GivenModel
    from pytest_forgetting.models.local_model import LocalModel

    Live = LocalModel | GivenModel


@dataclass(frozen=True)
class Templates:
    """The choice, and what is odd about it."""

    by_side: Mapping[SideName, str | None]
    """None: plain text."""
    findings: tuple[Finding, ...] = ()
    chosen: bool = False
    """Whether the user has chosen one for both sides."""
    one: str | None = None
    """Which one that is."""


def choose_templates(which: str, models: Mapping[SideName, Live]) -> Templates:
    """Choose for each live side.

    Args:
        which: own, baseline, model, none, or a template's file.
        models: the live sides; a recording was asked as it was asked.

    Raises:
        WrongUsage: the template asked for is missing.
    """
    own = {name: model.chat_template for name, model in models.items()}
    if which == "own":
        return Templates(_inherited(own), _difference(own))
    one = None if which == "none" else _named(which, models)
    return Templates(dict.fromkeys(models, one), _overridden(which, own), chosen=True, one=one)


def _named(which: str, models: Mapping[SideName, Live]) -> str:
    if which not in ("baseline", "model"):
        return Path(which).read_text(encoding="utf-8")
    side: SideName = "baseline" if which == "baseline" else "model"
    if side not in models:
        raise WrongUsage(f"--chat-template {which}: the {which} is a recording, which has no template to give")
    template = models[side].chat_template
    if template is None:
        raise WrongUsage(f"--chat-template {which}: {models[side].ref} has no chat template")
    return template


def _inherited(own: Mapping[SideName, str | None]) -> dict[SideName, str | None]:
    """Each its own; a tuned checkpoint that lost its template gets the baseline's."""
    had = own.get("baseline")
    return {name: had if name == "model" and template is None else template for name, template in own.items()}


def _difference(own: Mapping[SideName, str | None]) -> tuple[Finding, ...]:
    if _alike(own):
        return ()
    detail = "the chat templates differ; each side is asked through its own"
    if own["model"] is None:
        detail = (
            "the model has lost its chat template; it is asked through the baseline's:"
            " save it with the tokenizer, or its users go without"
        )
    elif own["baseline"] is None:
        detail = (
            "only the model has a chat template; the baseline is asked in plain text"
            " (--chat-template none or model asks both alike)"
        )
    return (Finding("chat-template", "warning", detail),)


def _overridden(which: str, own: Mapping[SideName, str | None]) -> tuple[Finding, ...]:
    if _alike(own):
        return ()
    how = "in plain text" if which == "none" else "through one"
    return (Finding("chat-template", "info", f"the chat templates differ; both are asked {how} (--chat-template)"),)


def _alike(own: Mapping[SideName, str | None]) -> bool:
    """Whether there are not two different ones; jinja drops a line break at a template's end."""
    ends = {None if template is None else template.removesuffix("\n") for template in own.values()}
    return len(ends) < 2
