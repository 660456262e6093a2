"""What a run says before it asks anything: who is compared, and what a reader should be warned of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_forgetting.comparison.participants import Finding
    from pytest_forgetting.session.selection import Selection
    from pytest_forgetting.settings import Settings


def header(settings: Settings) -> str:
    """Who is compared with whom, and whose answers are recorded."""
    if settings.model is None:
        return f"forgetting: recording the answers of {settings.baseline} in {settings.record}"
    threshold, rule = settings.max_drop, settings.rule
    told = "" if threshold is None else f" · max drop {float(threshold) * 100:g} pts for every suite"
    told += "" if rule is None else f" · rule {rule} for every suite"
    told += "" if settings.record is None else f" · the model's answers are recorded in {settings.record}"
    return f"forgetting: {settings.model} against {settings.baseline or 'its base'}{told}"


def notices(selection: Selection, settings: Settings, findings: Sequence[Finding]) -> Iterator[str]:
    """A line each on suites too small for what they ask, datasets that may change, and what the audit warns of."""
    from pytest_forgetting.comparison.judge import too_small
    from pytest_forgetting.reporting.clipping import harmless

    gated = [suite for name, suite in sorted(selection.suites.items()) if None in selection.gates[name]]
    for line in (too_small(suite, settings.confidence) for suite in gated):
        if line is not None:
            yield f"forgetting: {line}"
    for name, suite in sorted(selection.suites.items()):
        for read in suite.datasets:
            if not read.pinned:
                told = f"{read.name} is not pinned: add revision: {read.revision} to keep its cases as they are now"
                yield f"forgetting: {name}:{read.line}: {told}"
    for finding in findings:
        if finding.severity != "info":
            yield f"forgetting: {finding.severity}: {harmless(finding.detail)}"
