"""What differs between two models besides what tuning is for, told from their files before anything is asked.

A difference is a warning where it could make the model's answers look worse, or better, than the tuning did, and info
where it takes no part in the comparison. None that the files tell is fatal: tokenizer and settings are part of the
model as its users get it, and whether weights were trained with them the files do not tell. Only an adapter that
changes nothing is fatal: the comparison would be the base's with itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from pytest_forgetting.comparison.participants import Finding
from pytest_forgetting.models.config_findings import config_findings, generation_findings, setting
from pytest_forgetting.models.eos_findings import ends_of, eos_findings
from pytest_forgetting.models.fingerprint import HashMemo, combined, files_digest
from pytest_forgetting.models.folder import CONFIG, adapter_weights, read_json, tokenizer_files
from pytest_forgetting.models.local_model import LocalModel
from pytest_forgetting.models.parameters import embeddings_in
from pytest_forgetting.models.tokenizer_files import SETTINGS, read_tokenizer
from pytest_forgetting.models.tokenizer_findings import tokenizer_findings

AUDIT_VERSION = 2
"""Raised when something else is found or told, so that what was remembered is found anew."""
GENERATION = "generation_config.json"


class Memory(Protocol):
    """Where findings are kept, for as long as the files stay as they are."""

    def fact(self, name: str) -> str | None:
        """What was remembered under `name`."""

    def remember(self, name: str, value: str) -> None:
        """Keep `value` under `name`."""


def audit(baseline: LocalModel, model: LocalModel, memory: Memory) -> tuple[Finding, ...]:
    """All that the files of the two tell; their chat templates are `templates.py`'s.

    A large tokenizer takes half a second to be read, so what was found is remembered.

    Raises:
        CannotAnswer: one of the files cannot be read.
    """
    before, now = (_digests(each) for each in (baseline, model))
    foreign = tuple(_foreign_base(baseline, model))
    if before == now:
        return foreign
    name = f"audit:{AUDIT_VERSION}:{combined(before.items())}:{combined(now.items())}"
    told = memory.fact(name)
    if told is None:
        same = before["tokenizer"] == now["tokenizer"]
        told = json.dumps([vars(finding) for finding in _compared(baseline, model, same_tokenizer=same)])
        memory.remember(name, told)
    return (*foreign, *(Finding(**finding) for finding in json.loads(told)))


def _compared(baseline: LocalModel, model: LocalModel, *, same_tokenizer: bool) -> Iterator[Finding]:
    configs = [read_json(side.weights / CONFIG) for side in (baseline, model)]
    generation = [_optional(side.weights / GENERATION) for side in (baseline, model)]
    had = read_tokenizer(baseline.tokenizer)
    has = had if same_tokenizer else read_tokenizer(model.tokenizer)
    yield from config_findings(*configs)
    yield from eos_findings(ends_of(configs[0], generation[0], had), ends_of(configs[1], generation[1], has), has)
    yield from generation_findings(*generation)
    yield from tokenizer_findings(had, has, (_rows(baseline), _rows(model)), (baseline.tokenizer, model.tokenizer))


def _rows(side: LocalModel) -> int | None:
    """Tokens that the model has an embedding for, those that its adapter brings among them."""
    weights = None if side.adapter is None else adapter_weights(side.adapter, allow_pickle=side.allow_pickle)
    rows = None if weights is None else embeddings_in(weights)
    told = rows or setting(read_json(side.weights / CONFIG), "vocab_size")
    return told if isinstance(told, int) else None


def _optional(path: Path) -> dict[str, Any]:
    return read_json(path) if path.is_file() else {}


def _digests(side: LocalModel) -> dict[str, str]:
    """SHA-256 over what is compared, by kind."""
    settings = [side.weights / CONFIG, side.weights / GENERATION]
    vocabulary = [*tokenizer_files(side.tokenizer), side.tokenizer / SETTINGS]
    digests = {
        kind: files_digest(filter(Path.is_file, paths), HashMemo())
        for kind, paths in (("settings", settings), ("tokenizer", vocabulary))
    }
    return {**digests, "rows": str(_rows(side))}


def _foreign_base(baseline: LocalModel, model: LocalModel) -> Iterator[Finding]:
    """Tell of an adapter that stands on something else than what it is compared with."""
    if model.adapter is None or baseline.adapter is not None or model.weights_fingerprint == baseline.fingerprint:
        return
    yield Finding(
        "adapter",
        "warning",
        f"the adapter {model.ref} stands on another base ({model.weights}) than the baseline {baseline.ref}:"
        " that base is loaded beside it; --baseline base compares the adapter with it",
    )
