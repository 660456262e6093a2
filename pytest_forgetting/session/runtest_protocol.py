"""Running an item: a light protocol for cases that cannot fail, and that of pytest for all others.

Most cases of a large suite are uneventful. pytest's full protocol costs a quarter of a millisecond each and gives them
nothing: no fixture, no capture, no log. They get ready-made reports instead, the same three that pytest would send.
"""

from __future__ import annotations

import pytest

from pytest_forgetting.session.collection import TOLERATED, CaseItem, ForgettingItem

PHASES = ("setup", "call", "teardown")
UNEVENTFUL = "forgetting_uneventful"
"""Marks reports of which nothing is left to be told once they are logged; it travels with them between processes."""
_DEBUGGING = ("usepdb", "setupshow", "setuponly", "setupplan", "runxfail")
"""Options whose user wants to see pytest's own protocol at work."""


def only_looks(option: object) -> bool:
    """Whether the user wants to see items, and runs none."""
    return any(getattr(option, name, False) for name in ("collectonly", "setuponly", "setupplan"))


def run(item: ForgettingItem, nextitem: pytest.Item | None, *, light: bool) -> None:
    """Run `item` and log its reports."""
    from _pytest.runner import runtestprotocol  # no public way runs one item, as rerunfailures and flaky do

    hook = item.ihook  # looked up anew each time, with all conftests
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    if light and isinstance(item, CaseItem):
        for report in _reports(item):
            hook.pytest_runtest_logreport(report=report)
    else:
        runtestprotocol(item, nextitem=nextitem, log=True)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)


def is_uneventful(item: ForgettingItem, nextitem: pytest.Item | None, fails: bool, answered: bool) -> bool:
    """Whether `item` can do without setup, call and teardown hooks."""
    wanted = item.config.option
    return (
        isinstance(item, CaseItem)
        and item.case.skip is None
        and all(mark.name == "forgetting" for mark in item.iter_markers())
        and answered
        and not fails
        and not any(getattr(wanted, name, False) for name in _DEBUGGING)
        and _nothing_to_tear_down(item, nextitem)
    )


def _nothing_to_tear_down(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """Whether what earlier Python tests have set up may stand as it is until after `nextitem` has begun."""
    standing = list(item.session._setupstate.stack)
    if not standing:
        return True
    return nextitem is not None and set(standing) <= set(nextitem.listchain())


def _reports(item: CaseItem) -> list[pytest.TestReport]:
    forgotten = ("forgetting_outcome", "forgotten") in item.user_properties
    return [_report(item, phase, xfailed=forgotten and phase == "call") for phase in PHASES]


def _report(item: CaseItem, when: str, *, xfailed: bool) -> pytest.TestReport:
    report = pytest.TestReport(
        nodeid=getattr(item, "id", item.nodeid),  # from pytest 9.2 on it is parsed already
        location=item.location,
        keywords={},
        outcome="skipped" if xfailed else "passed",
        longrepr=(str(item.path), item.case.line, TOLERATED) if xfailed else None,
        when=when,  # type: ignore[arg-type]  # one of the three phases
        # JUnit and dashboards read the properties at teardown, the terminal at call.
        user_properties=[] if when == "setup" else item.user_properties,
        **{UNEVENTFUL: when != "call"},  # type: ignore[arg-type]  # reports take attributes of any name
    )
    if xfailed:
        report.wasxfail = TOLERATED
    return report


def drop(report: pytest.TestReport, stats: dict[str, list[object]]) -> None:
    """Let go of an uneventful report, which the terminal would keep to the end, and search for each failure."""
    kept = stats.get("")
    if kept and kept[-1] is report and getattr(report, UNEVENTFUL, False):
        kept.pop()
