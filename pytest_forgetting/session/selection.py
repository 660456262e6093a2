"""Which cases and gates of which suites a run was asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_forgetting.suites.cases import Case, Suite

SUITE_SUFFIXES = (".yaml", ".yml", ".jsonl")


def parted(nodeid: str) -> tuple[str, list[str]]:
    """The file of a node id, and the names in it; neither bears ``::`` but for folders, which may."""
    parts = nodeid.split("::")
    end = next((n for n, part in enumerate(parts, 1) if part.endswith(SUITE_SUFFIXES)), 1)
    return "::".join(parts[:end]), parts[end:]


class Selection:
    """Suites by node id, with the cases to be answered and the gates that count."""

    def __init__(self) -> None:
        """Nothing is selected yet."""
        self.suites: dict[str, Suite] = {}
        self.gates: dict[str, set[str | None]] = {}
        self._chosen: set[int] = set()
        self._scopes: set[int] = set()

    def take(self, suite: Suite, cases: Iterable[Case]) -> None:
        """Take in some cases of `suite`."""
        self.suites[suite.nodeid] = suite
        self.gates.setdefault(suite.nodeid, set())
        self._chosen.update(map(id, cases))

    def take_gate(self, suite: Suite, category: str | None) -> None:
        """Take in the gate over `category`, None for the whole suite, with all that it speaks of."""
        scope = suite.gate_scope(category)
        # Gates of one family speak of the same cases; the suite holds on to them, so that no other has their id.
        self.take(suite, () if id(scope) in self._scopes else scope)
        self._scopes.add(id(scope))
        self.gates[suite.nodeid].add(category)

    def leave_gates(self, nodeids: Iterable[str]) -> None:
        """Take out gates that were not judged in the end."""
        for nodeid in nodeids:
            file, names = parted(nodeid)
            self.gates.get(file, set()).discard(names[0] if len(names) == 2 else None)

    def wanted(self) -> list[tuple[Suite, Case]]:
        """Every case that is to be answered, in an order that no shuffling of items changes."""
        return [(suite, case) for _, suite in sorted(self.suites.items()) for case in self.in_order(suite)]

    def in_order(self, suite: Suite) -> list[Case]:
        """The selected cases of `suite` as they stand in its file."""
        return [case for case in suite.cases if id(case) in self._chosen]
