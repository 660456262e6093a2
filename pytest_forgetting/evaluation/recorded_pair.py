"""Comparing with a recording: whether it answers what is asked now, and what a reader should know about the pair."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_forgetting.answers.recording import Recording
from pytest_forgetting.answers.sides import RecordedSide, Side, SideName
from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.models.local_model import LocalModel
from pytest_forgetting.models.source import SHOWN_OF_A_HASH, template_digest, unlike_sources, unlike_templates
from pytest_forgetting.reporting.clipping import shown_name

if TYPE_CHECKING:
    from pytest_forgetting.comparison.participants import Finding
    from pytest_forgetting.evaluation.found import Found
    from pytest_forgetting.models.templates import Templates
    from pytest_forgetting.suites.cases import Case, Suite

SHOWN = 5
"""Differences that a message names; the others are counted."""


def recorded_findings(sides: Mapping[SideName, Side]) -> Iterator[Finding]:
    """What the two sides differ in besides the weights; two live ones differ in the type of their weights alone."""
    baseline, model = sides["baseline"].source, sides["model"].source
    yield from unlike_sources(baseline, model)
    if any(isinstance(side, RecordedSide) for side in sides.values()):
        yield from unlike_templates(baseline, model)


def see_as_asked(found: Mapping[SideName, Found], templates: Templates, kwargs: Mapping[str, Any]) -> None:
    """See that recordings are of the weights, and were asked through the template, that this run speaks of.

    Args:
        found: both sides; an adapter says by its base what its baseline should be.
        templates: a recording must fit where one was chosen for both sides; by default each side has its own.
        kwargs: what templates are told.

    Raises:
        WrongUsage: one does not; the message has both values.
    """
    told = [
        f"{recording.ref} was recorded otherwise: {difference}"
        for recording in dict.fromkeys(each for each in found.values() if isinstance(each, Recording))
        for difference in (*_other_base(recording, found["model"]), *_asked_otherwise(recording, templates, kwargs))
    ]
    if told:
        raise WrongUsage("\n".join(told))


def _other_base(recording: Recording, model: Found) -> Iterator[str]:
    if not isinstance(model, LocalModel) or model.adapter is None:
        return
    source, base = recording.source, model.weights_fingerprint
    if base not in (source.base, source.participant.fingerprint):
        who, had, has = source.participant, _short(source.base or source.participant.fingerprint), _short(base)
        name = shown_name(who.ref)
        yield (
            f"its weights are {had} ({name}), and the adapter {model.ref} stands on {has}; record its own base, or"
            " give the baseline as a model"
        )


def _asked_otherwise(recording: Recording, templates: Templates, kwargs: Mapping[str, Any]) -> Iterator[str]:
    had = recording.source.chat_template
    if templates.chosen:
        has = None if templates.one is None else template_digest(templates.one)
        if had != has:
            yield f"chat template {_short(had)} recorded, {_short(has)} asked (--chat-template)"
    if had is not None and recording.source.chat_template_kwargs != kwargs:
        told = [json.dumps(dict(each), sort_keys=True) for each in (recording.source.chat_template_kwargs, kwargs)]
        yield "chat template arguments {} recorded, {} asked (--think, --chat-template-kwargs)".format(*told)


def _short(digest: str | None) -> str:
    return "none" if digest is None else digest[:SHOWN_OF_A_HASH]


def refusals(sides: Mapping[SideName, Side], suites: Sequence[Suite]) -> Iterator[str]:
    """Of each recording that does not answer what `suites`, whole ones, ask: what differs, and how it is recorded."""
    cases: dict[str, list[Case]] = {}
    for suite in suites:
        cases.setdefault(suite.name, []).extend(suite.cases)
    recordings = {side.recording.ref: side.recording for side in sides.values() if isinstance(side, RecordedSide)}
    for recording in recordings.values():
        told = {name: recording.misfits(name, its) for name, its in cases.items()}
        lines = [line for each in told.values() for line in each]
        if lines:
            concerned = [suite.nodeid for suite in suites if told[suite.name]]
            yield "\n".join(
                [f"{recording.ref} was not recorded from these cases:", *_few(lines), _anew(recording, concerned)]
            )


def _few(lines: Sequence[str]) -> Iterator[str]:
    yield from (f"  {line}" for line in lines[:SHOWN])
    if len(lines) > SHOWN:
        yield f"  … and {len(lines) - SHOWN} more"


def _anew(recording: Recording, suites: Sequence[str]) -> str:
    ref = shown_name(recording.source.participant.ref)
    command = ["pytest", f"--baseline={ref}", f"--forgetting-record={recording.ref}", *suites]
    return f"to record what is asked now: {shlex.join(command)}"
