"""The run: registered with pytest once a model was named. Answers come ahead of the items, the report after them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_forgetting import options, protocol
from pytest_forgetting.collection import CaseItem, ForgettingItem, GateItem, drawn, load
from pytest_forgetting.comparison.comparison import ScopeResult, SuiteResult, Timing, blocks
from pytest_forgetting.errors import CannotAnswer, ForgettingError, WrongUsage
from pytest_forgetting.progress import TerminalProgress

if TYPE_CHECKING:
    from pytest_forgetting.comparison.comparison import Comparison
    from pytest_forgetting.comparison.outcomes import CaseResult
    from pytest_forgetting.evaluate import Evaluation
    from pytest_forgetting.suites.cases import Case, Suite

WINDOW = 32
"""Items answered ahead where the run may stop early (-x, --maxfail, --stepwise)."""
CANNOT_ANSWER, WRONG_USAGE = 3, 4
"""Exit codes."""
_WORDS: dict[str, tuple[str, str, str]] = {
    "retained": ("passed", ".", "RETAINED"),
    "learned": ("passed", "+", "LEARNED"),
    "unknown": ("passed", "-", "UNKNOWN"),
    "recorded": ("passed", ".", "RECORDED"),
    "forgotten": ("xfailed", "f", "FORGOTTEN"),
    "unanswered": ("skipped", "?", "UNANSWERED"),
}


class Selection:
    """Which cases and gates of which suites the run was asked for."""

    def __init__(self) -> None:
        """Nothing is selected yet."""
        self.suites: dict[str, Suite] = {}
        self.cases: dict[str, list[Case]] = {}
        self.gates: dict[str, set[str | None]] = {}
        self._ids: set[int] = set()

    def add(self, suite: Suite, case: Case | None, gate: str | None = None) -> None:
        """Take in a case, or (without one) the gate over `gate`, None for the whole suite."""
        self.suites[suite.nodeid] = suite
        cases = self.cases.setdefault(suite.nodeid, [])
        gates = self.gates.setdefault(suite.nodeid, set())
        if case is None:
            gates.add(gate)
        scope = [case] if case is not None else [c for c in suite.cases if gate in (None, c.category)]
        for each in scope:
            if id(each) not in self._ids:
                self._ids.add(id(each))
                cases.append(each)

    def wanted(self) -> list[tuple[Suite, Case]]:
        """Every case that is to be answered, in an order that no shuffling of items changes."""
        return [(suite, case) for _, suite in sorted(self.suites.items()) for case in self.in_order(suite)]

    def in_order(self, suite: Suite) -> list[Case]:
        """The selected cases of `suite` as they stand in its file."""
        chosen = {id(case) for case in self.cases[suite.nodeid]}
        return [case for case in suite.cases if id(case) in chosen]


class ForgettingRun:
    """Holds the evaluation of this session and serves the items."""

    def __init__(self, config: pytest.Config) -> None:
        """Read the options.

        Raises:
            pytest.UsageError: one of them cannot be meant as given.
        """
        self.config = config
        try:
            self.settings = options.settings_from(config)
        except WrongUsage as error:
            raise pytest.UsageError(str(error)) from None
        self.gated = self.settings.model is not None
        self.exit_code: int | None = None
        self.comparison: Comparison | None = None
        self.selection = Selection()
        self.notes: list[str] = []
        self._suites: dict[str, tuple[Suite, Suite, dict[str, list[Case]]]] = {}
        self._evaluation: Evaluation | None = None
        self._verdicts: dict[tuple[str, str | None], ScopeResult] = {}
        self._efforts: list[dict[str, Any]] = []
        self._worker_ids: list[str] = []
        self._workerinput: dict[str, Any] | None = getattr(config, "workerinput", None)
        self._temporary: Path | None = None

    # What the items ask

    def add_suite(self, path: Path, nodeid: str) -> Suite:
        """Read a suite, once."""
        if nodeid not in self._suites:
            whole = load(path, nodeid, self.settings)
            suite = drawn(whole, self.settings.limit)
            members: dict[str, list[Case]] = {}
            for case in suite.cases:
                members.setdefault(case.category, []).append(case)
            self._suites[nodeid] = (whole, suite, members)
        return self._suites[nodeid][1]

    def cases_of(self, suite: Suite, category: str) -> Sequence[Case]:
        """The cases of one category."""
        return self._suites[suite.nodeid][2][category]

    def result(self, item: CaseItem) -> CaseResult:
        """The graded answers of a case."""
        return self.evaluation.result(item.suite, item.case)

    def verdict(self, item: GateItem) -> ScopeResult:
        """The verdict over a gate's whole scope."""
        return self._verdict(item.suite, item.category)

    def blocks(self, scope: ScopeResult) -> bool:
        """Whether a gate with this verdict fails the build."""
        undecided = scope.ruling.verdict == "inconclusive"
        decided = self._general_decided() if undecided else True
        return blocks(scope.ruling, self.settings.inconclusive, general_decided=decided)

    @property
    def evaluation(self) -> Evaluation:
        """What the run knows."""
        assert self._evaluation is not None, "the session has not started"
        return self._evaluation

    def _verdict(self, suite: Suite, category: str | None) -> ScopeResult:
        key = (suite.nodeid, category)
        if key not in self._verdicts:
            cases = [case for case in suite.cases if category in (None, case.category)]
            self.evaluation.ensure([(suite, case) for case in cases])
            judged = self.evaluation.judge_suite(suite, cases)
            scopes = {scope.name: scope for scope in judged.categories}
            self._verdicts[key] = judged.overall if category is None else scopes[category]
        return self._verdicts[key]

    def _general_decided(self) -> bool:
        gates = [
            (suite, gate)
            for name, suite in self.selection.suites.items()
            if suite.role == "general"
            for gate in self.selection.gates[name]
        ]
        return any(self._verdict(suite, gate).ruling.verdict != "inconclusive" for suite, gate in gates)

    # The session

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Find both models. Nothing is loaded yet."""
        if session.config.option.collectonly:
            return
        from pytest_forgetting.participants import open_evaluation

        try:
            self._evaluation = open_evaluation(self.settings, self._store_folder())
        except WrongUsage as error:
            raise pytest.UsageError(str(error)) from None
        except CannotAnswer as error:
            pytest.exit(f"forgetting: {error}", returncode=CANNOT_ANSWER)

    def pytest_report_header(self) -> str:
        """Who is compared with whom."""
        if not self.gated:
            return f"forgetting: recording {self.settings.baseline}"
        threshold = self.settings.max_drop
        told = "" if threshold is None else f" · max drop {float(threshold) * 100:g} pts for every suite"
        return f"forgetting: {self.settings.model} against {self.settings.baseline or 'its base'}{told}"

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep a file's items together and its gates last, whatever order others chose."""
        ours = [item for item in items if isinstance(item, ForgettingItem)]
        place = {path: n for n, path in reversed(list(enumerate(item.path for item in ours)))}
        ours.sort(key=lambda item: (place[item.path], isinstance(item, GateItem)))
        following = iter(ours)
        items[:] = [next(following) if isinstance(item, ForgettingItem) else item for item in items]

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note what was selected."""
        for item in session.items:
            self._select(item)

    def _select(self, item: pytest.Item) -> None:
        if isinstance(item, CaseItem):
            self.selection.add(item.suite, item.case)
        elif isinstance(item, GateItem):
            self.selection.add(item.suite, None, item.category)
        if isinstance(item, ForgettingItem) and self.settings.record is not None:
            for case in item.suite.cases:
                self.selection.add(item.suite, case)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Answer everything selected before the first item runs; no item is charged for it."""
        option = session.config.option
        idle = option.collectonly or getattr(option, "setupplan", False) or getattr(option, "setuponly", False)
        broken = session.testsfailed and self._workerinput is None
        if self.selection.suites and not (idle or broken):
            self._answer(session, [] if self._stops_early else self.selection.wanted())
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self,
        item: pytest.Item,
        nextitem: pytest.Item | None,  # noqa: ARG002
    ) -> Generator[None, object, object]:
        """Make sure of this item's answers, outside of any timeout; with ``-x`` this is where answers are asked."""
        if isinstance(item, ForgettingItem) and not self._ready(item):
            self._answer(item.session, self._window(item))
        return (yield)

    @pytest.hookimpl(tryfirst=True, specname="pytest_runtest_protocol")
    def pytest_runtest_protocol_of_items(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run our own items."""
        if not isinstance(item, ForgettingItem):
            return None
        light = False
        if isinstance(item, CaseItem) and self.gated and item.case.skip is None:
            result = self.result(item)
            fails = result.fails(item.suite.fail_on)
            light = protocol.is_uneventful(item, nextitem, fails, result.outcome != "unanswered")
            if light:
                item.describe(result)
        protocol.run(item, nextitem, light=light)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport | pytest.CollectReport) -> Any:
        """Our letters and words; the categories stay pytest's own."""
        properties = dict(getattr(report, "user_properties", ()))
        if report.when != "call" and not report.skipped:
            return None
        if properties.get("forgetting_verdict") == "inconclusive" and report.skipped:
            return "skipped", "i", "INCONCLUSIVE"
        outcome = properties.get("forgetting_outcome")
        if outcome is None:
            return None
        if report.failed:
            return "failed", "F", "FORGOTTEN" if outcome == "forgotten" else "FAILED"
        return _WORDS[outcome]

    # Answers

    @property
    def _stops_early(self) -> bool:
        option = self.config.option
        # A worker of xdist answers for all of them: whoever comes first saves the others a second load.
        return self._workerinput is None and bool(option.maxfail or getattr(option, "stepwise", False))

    def _ready(self, item: ForgettingItem) -> bool:
        return all(case.skip is not None or self.evaluation.knows(case) for _, case in self._needs(item))

    def _needs(self, item: pytest.Item) -> list[tuple[Suite, Case]]:
        if isinstance(item, CaseItem):
            return [(item.suite, item.case)]
        if isinstance(item, GateItem):
            return [(item.suite, case) for case in item.suite.cases if item.category in (None, case.category)]
        return []

    def _window(self, item: ForgettingItem) -> list[tuple[Suite, Case]]:
        items = item.session.items
        start = items.index(item)
        ahead = items[start : start + WINDOW] if isinstance(item, CaseItem) else [item]
        return [need for each in ahead if isinstance(each, CaseItem) or each is item for need in self._needs(each)]

    def _answer(self, session: pytest.Session, wanted: Sequence[tuple[Suite, Case]]) -> None:
        try:
            self.evaluation.check_recordings([self._suites[name][0] for name in self.selection.suites])
            self.evaluation.ensure(wanted, TerminalProgress(self._reporter))
        except WrongUsage as error:
            self._stop(session, WRONG_USAGE, error)
        except CannotAnswer as error:
            self._stop(session, CANNOT_ANSWER, error)

    def _stop(self, session: pytest.Session, code: int, error: ForgettingError) -> None:
        """End the run with one message, in a way that also reaches xdist's controller."""
        self.exit_code = code
        session.shouldfail = f"forgetting: {error}"
        raise session.Failed(session.shouldfail)

    @property
    def _reporter(self) -> pytest.TerminalReporter | None:
        reporter: pytest.TerminalReporter | None = self.config.pluginmanager.get_plugin("terminalreporter")
        return None if self._workerinput is not None else reporter

    # The store, and xdist's workers

    def _store_folder(self) -> Path:
        """Where answers are kept: workers share the controller's."""
        if self._workerinput is not None:
            return Path(self._workerinput["forgetting_store"])
        if self.settings.no_store:
            self._temporary = self._temporary or Path(tempfile.mkdtemp(prefix="pytest-forgetting-"))
            return self._temporary
        from pytest_forgetting.participants import store_folder

        return store_folder(self.settings.store)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker which store to use."""
        node.workerinput["forgetting_store"] = str(self._store_folder())

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:  # noqa: ARG002
        """Note what the workers selected; each has selected the same."""
        self._worker_ids = self._worker_ids or list(ids)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:  # noqa: ARG002
        """Collect what asking cost a worker, and why it stopped."""
        output = getattr(node, "workeroutput", None) or {}
        self._efforts.extend(filter(None, [output.get("forgetting_effort")]))
        self.exit_code = output.get("forgetting_exit") or self.exit_code

    def _select_what_workers_ran(self) -> None:
        """Read the suites of the workers' items here too: the controller itself collects nothing."""
        for nodeid in self._worker_ids:
            file, *names = nodeid.split("::")
            if not names or not file.endswith((".yaml", ".yml", ".jsonl")):
                continue
            suite = self._suite_of(file)
            if suite is None:
                continue
            if names[-1] == "gate":
                self.selection.add(suite, None, names[0] if len(names) == 2 else None)
            else:
                self._add_by_name(suite, names)

    def _add_by_name(self, suite: Suite, names: Sequence[str]) -> None:
        index = self._by_name.setdefault(suite.nodeid, {})
        if not index:
            index.update({(case.category, case.id): case for case in suite.cases})
        case = index.get((names[0], names[-1]))
        if case is not None:
            self.selection.add(suite, case)

    @property
    def _by_name(self) -> dict[str, dict[tuple[str, str], Case]]:
        return self.__dict__.setdefault("_names", {})  # type: ignore[no-any-return]

    def _suite_of(self, file: str) -> Suite | None:
        path = self.config.rootpath / file
        if file not in self._suites:
            # Checks of a user's own are registered by conftest files, which only workers have imported so far.
            self.config.pluginmanager._loadconftestmodules(
                path,
                self.config.getoption("importmode"),
                rootpath=self.config.rootpath,
                consider_namespace_packages=self.config.getini("consider_namespace_packages"),
            )
        try:
            return self.add_suite(path, file)
        except ForgettingError:
            return None  # the workers have told it

    # The end

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Count, write the reports, free the models."""
        if self._evaluation is None:
            return
        if self._workerinput is not None:
            output = self.config.workeroutput  # type: ignore[attr-defined]
            output["forgetting_effort"] = self._own_effort()
            output["forgetting_exit"] = self.exit_code
        else:
            self._conclude(session)
        self._evaluation.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def _conclude(self, session: pytest.Session) -> None:
        self._select_what_workers_ran()
        self._efforts.extend(filter(None, [self._own_effort()]))
        if self.exit_code is not None:
            session.exitstatus = self.exit_code
            return
        self.evaluation.recall(self.selection.wanted())
        if self.gated:
            self.comparison = self.evaluation.comparison(list(self._suite_results()), self._timing())
        self._write(session)

    def _suite_results(self) -> Iterator[SuiteResult]:
        for name, suite in sorted(self.selection.suites.items()):
            cases = self.selection.in_order(suite)
            gates = self.selection.gates[name] if self._complete(cases) else set()
            yield self.evaluation.judge_suite(suite, cases, gates)

    def _complete(self, cases: Iterable[Case]) -> bool:
        return all(case.skip is not None or self.evaluation.knows(case) for case in cases)

    def _write(self, session: pytest.Session) -> None:
        from pytest_forgetting.participants import write_recording
        from pytest_forgetting.reporting.files import write_report

        try:
            if self.comparison is not None:
                for path in self.settings.reports:
                    write_report(self.comparison, path)
            if self.settings.record is not None:
                self.notes.append(write_recording(self.evaluation, self.selection.wanted(), self.settings))
        except OSError as error:
            self.notes.append(f"could not write {error.filename or 'a report'}: {error.strerror}")
            session.exitstatus = CANNOT_ANSWER

    def _own_effort(self) -> dict[str, Any] | None:
        interview = None if self._evaluation is None else self._evaluation.interview
        if interview is None:
            return None
        effort = interview.effort
        return {"seconds": dict(effort.seconds), "computed": dict(effort.computed)}

    def _timing(self) -> Timing:
        def total(what: str, side: str) -> Any:
            return sum(effort[what][side] for effort in self._efforts)

        asked = sum(1 for _, case in self.selection.wanted() if case.skip is None)
        return Timing(
            baseline_seconds=round(total("seconds", "baseline"), 3),
            model_seconds=round(total("seconds", "model"), 3),
            baseline_computed=total("computed", "baseline"),
            model_computed=total("computed", "model"),
            baseline_stored=max(0, asked - total("computed", "baseline")),
            model_stored=max(0, asked - total("computed", "model")),
        )

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None, object, object]:
        """Below everything else: the table, what was forgotten, and the counts right above pytest's last line."""
        result = yield
        from pytest_forgetting.summary import write_summary

        write_summary(terminalreporter, self.comparison, self.notes, self.settings)
        return result
