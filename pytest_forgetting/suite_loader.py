"""Loading the suites of a run: each is read once, and gets the run's own threshold, rule and limit."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_forgetting.grading.registry import registered_checks
from pytest_forgetting.suites.loading import load_suite

if TYPE_CHECKING:
    from pytest_forgetting.settings import Settings
    from pytest_forgetting.suites.cases import Suite

LIMIT_SEED = 0


class SuiteLoader:
    """Suites by node id: with the user's threshold, and as many cases as asked for."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is read yet."""
        self._settings = settings
        self._whole: dict[str, Suite] = {}
        self._drawn: dict[str, Suite] = {}

    def suite(self, path: Path, nodeid: str) -> Suite:
        """Read the suite at `path`, or hand out what was read before.

        Raises:
            SuiteError: it cannot be read.
        """
        if nodeid not in self._drawn:
            self._whole[nodeid] = self._read(path, nodeid)
            self._drawn[nodeid] = drawn(self._whole[nodeid], self._settings.limit)
        return self._drawn[nodeid]

    def given(self, suite: Suite) -> Suite:
        """A suite that the caller made, as this run wants it; one that was handed out before stays as it is."""
        if any(suite is known for known in self._drawn.values()):
            return suite
        name = suite.nodeid or suite.name
        nodeid = next(each for n in count(1) if (each := name if n == 1 else f"{name}-{n}") not in self._drawn)
        self._whole[nodeid] = self._as_asked(suite, nodeid)
        self._drawn[nodeid] = drawn(self._whole[nodeid], self._settings.limit)
        return self._drawn[nodeid]

    def whole(self, nodeids: Iterable[str]) -> list[Suite]:
        """The same suites with all their cases, whatever the limit."""
        return [self._whole[nodeid] for nodeid in nodeids]

    @property
    def files(self) -> set[str]:
        """The files that cases stand in: suites and their sources, as messages name them."""
        return {case.file for suite in self._whole.values() for case in suite.cases}

    def __contains__(self, nodeid: str) -> bool:
        """Whether it was read."""
        return nodeid in self._drawn

    def _read(self, path: Path, nodeid: str) -> Suite:
        python = self._settings.allow_python
        suite = load_suite(path, known_checks=registered_checks(), allow_python=python, shown_as=nodeid)
        return self._as_asked(suite, nodeid)

    def _as_asked(self, suite: Suite, nodeid: str) -> Suite:
        asked = {"max_drop": self._settings.max_drop, "rule": self._settings.rule}
        # `read_settings` has seen each value.
        gate = replace(suite.gate, **{name: value for name, value in asked.items() if value is not None})  # type: ignore[arg-type]
        return replace(suite, gate=gate, nodeid=nodeid)


def drawn(suite: Suite, limit: int | None) -> Suite:
    """`suite` with at most `limit` cases, the same ones in every run, in their own order."""
    if limit is None or limit >= len(suite.cases):
        return suite
    kept = sorted(random.Random(LIMIT_SEED).sample(range(len(suite.cases)), limit))
    return replace(suite, cases=tuple(suite.cases[n] for n in kept))
