"""Looking up cases, categories and suites of a comparison by name, and saying what may have been meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from pytest_forgetting.errors import NotFound
from pytest_forgetting.suites.spelling import hint

if TYPE_CHECKING:
    from pytest_forgetting.comparison.outcomes import CaseResult
    from pytest_forgetting.comparison.scopes import SuiteResult

T = TypeVar("T")
_LISTED = 10


def the_case(suites: Iterable[SuiteResult], name: str) -> CaseResult:
    """The case whose id or node id is `name`.

    Raises:
        NotFound: there is none, or there are several; the message says which.
    """
    by_nodeid = _by_nodeid(suites)
    if isinstance(name, str) and name in by_nodeid:
        return by_nodeid[name]
    nodeids = [nodeid for nodeid, result in by_nodeid.items() if result.case.id == name]
    if len(nodeids) > 1:
        raise NotFound(f"case '{name}' stands in several suites; name one of {', '.join(nodeids)}")
    if not nodeids:
        raise _unknown("case", name, list(dict.fromkeys(result.case.id for result in by_nodeid.values())))
    return by_nodeid[nodeids[0]]


def has_case(suites: Iterable[SuiteResult], wanted: object) -> bool:
    """Whether `wanted` is a case of `suites`, or the id or node id of one."""
    by_nodeid = _by_nodeid(suites)
    return any(wanted in (nodeid, result.case.id) or wanted is result for nodeid, result in by_nodeid.items())


def _by_nodeid(suites: Iterable[SuiteResult]) -> dict[str, CaseResult]:
    return {
        f"{suite.suite.nodeid}::{result.case.category}::{result.case.id}": result
        for suite in suites
        for result in suite.results
    }


def the_one(kind: str, name: str, found: Mapping[str, Sequence[T]], places: Sequence[str] = ()) -> T:
    """The only thing of the name `name`.

    Args:
        kind: what is looked for, for messages.
        name: what it is called.
        found: all that there is, by name.
        places: what to name instead, where there are several of the name.

    Raises:
        NotFound: there is none, or there are several.
    """
    these = found.get(name, ()) if isinstance(name, str) else ()
    if len(these) > 1:
        raise NotFound(f"{kind} '{name}' is there {len(these)} times; name one of {', '.join(places)}")
    if not these:
        raise _unknown(kind, name, list(found))
    return these[0]


def _unknown(kind: str, name: object, known: Sequence[str]) -> NotFound:
    if not known:
        return NotFound(f"there is no {kind} {name!r}: the comparison is empty")
    listed = [*known[:_LISTED], *([f"… and {len(known) - _LISTED} more"] if len(known) > _LISTED else [])]
    return NotFound(f"there is no {kind} {name!r}; {hint(str(name), known, listed)}")
