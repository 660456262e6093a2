"""The run: registered with pytest once a model was named. Answers come before the items, the report after."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_forgetting import options
from pytest_forgetting.comparison.scopes import ScopeResult
from pytest_forgetting.errors import CannotAnswer, WrongUsage
from pytest_forgetting.session import conclusion, output_files, runtest_protocol
from pytest_forgetting.session.asking_ahead import CANNOT_ANSWER, AskingAhead
from pytest_forgetting.session.collection import CaseItem, ForgettingItem, GateItem
from pytest_forgetting.session.github_actions import GitHubActions, on_github
from pytest_forgetting.session.notices import header, notices
from pytest_forgetting.session.properties import tell_junit
from pytest_forgetting.session.run_folders import RunFolders
from pytest_forgetting.session.selection import Selection
from pytest_forgetting.session.statuses import is_skipped_gate, status_of
from pytest_forgetting.session.termination import end_with_parent
from pytest_forgetting.session.workers import Workers
from pytest_forgetting.suite_loader import SuiteLoader
from pytest_forgetting.suites.detection import SUFFIXES

if TYPE_CHECKING:
    from pytest_forgetting.answers.sides import SideName
    from pytest_forgetting.api.forgetting import Forgetting
    from pytest_forgetting.api.language_model import LanguageModel
    from pytest_forgetting.comparison.comparison import Comparison
    from pytest_forgetting.comparison.outcomes import CaseResult
    from pytest_forgetting.evaluation.evaluation import Evaluation
    from pytest_forgetting.settings import Settings


class ForgettingRun:
    """Holds what this session asks and knows, and serves the items."""

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
        self.comparison: Comparison | None = None
        self.loader = SuiteLoader(self.settings)
        self._selection = Selection()
        self._written = output_files.Written()
        self._asking: AskingAhead | None = None
        self._unread: list[str] = []
        self._skipped_gates: list[str] = []
        self._unanswerable: str | None = None
        self._idle = True
        """Whether no item was run: only looked at, not come so far, or stopped by what could not be collected."""
        self._workerinput: dict[str, Any] | None = getattr(config, "workerinput", None)
        self._folders = RunFolders(config, self.settings)
        self._workers = Workers(config, self._told_to_workers, self._tell_collected)
        if self._workerinput is None:
            config.pluginmanager.register(self._workers, "forgetting-workers")
            if on_github():
                config.pluginmanager.register(GitHubActions(self), "forgetting-github")
        else:
            end_with_parent()

    # What the items ask

    def result(self, item: CaseItem) -> CaseResult:
        """The graded answers of a case."""
        return self.evaluation.result(item.suite, item.case)

    def verdict(self, item: GateItem) -> ScopeResult:
        """The verdict over a gate's whole scope."""
        return self.asking.verdicts.of(item.suite, item.category)

    def blocks(self, scope: ScopeResult) -> bool:
        """Whether a gate with this verdict fails the build."""
        return self.asking.verdicts.blocks(scope)

    @property
    def asking(self) -> AskingAhead:
        """How the models are asked."""
        assert self._asking is not None, "the session has not started"
        return self._asking

    @property
    def evaluation(self) -> Evaluation:
        """What the run knows."""
        return self.asking.evaluation

    # What users' own tests ask

    def pair(self) -> Forgetting:
        """The gate on both models, for the fixture `forgetting`."""
        from pytest_forgetting.api.forgetting import Forgetting

        here = (self.config.rootpath, self.config.invocation_params.dir)
        return Forgetting(self.evaluation, self.settings, self.loader, here, self.asking.guarded)

    def language_model(self, name: SideName) -> LanguageModel:
        """One of the two, for the fixtures `candidate` and `baseline`."""
        from pytest_forgetting.api.language_model import LanguageModel

        evaluation, keep = self.evaluation, self.settings.think == "keep"
        return LanguageModel(
            name, evaluation.sides[name], evaluation.interview, keep_thoughts=keep, guarded=self.asking.guarded
        )

    # The session

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Find both models. Nothing is loaded yet."""
        if session.config.option.collectonly:
            return
        from pytest_forgetting.evaluation.opening import open_evaluation
        from pytest_forgetting.evaluation.recorder import Recorder

        try:
            output_files.see_files(self.settings)
            evaluation = open_evaluation(
                self._own_settings(), self._folders.store(), temporary=self._folders.temporary()
            )
            self._asking = AskingAhead(session, evaluation, self._selection, self.loader, self.settings)
            if self.settings.record is not None:
                side: SideName = "model" if self.gated else "baseline"
                self._asking.recorder = Recorder(self.settings.record, evaluation, side)
        except WrongUsage as error:
            raise pytest.UsageError(str(error)) from None
        except CannotAnswer as error:
            self._unanswerable = f"forgetting: {error}"
            if self.config.pluginmanager.has_plugin("dsession"):  # before workers are started
                self._see_answerable()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """End a run that cannot be answered: only here, as pytest tells twice what ends the start of a session."""
        self._see_answerable()

    def _see_answerable(self) -> None:
        if self._unanswerable is None:
            return
        end = pytest.exit.Exception(self._unanswerable, returncode=CANNOT_ANSWER)
        if self.config.pluginmanager.has_plugin("dsession") and self.config.pluginmanager.has_plugin(
            "terminalreporter"
        ):
            end.msg = "no worker was started"  # to the error output, where the terminal tells the reason
        raise end

    def _told_to_workers(self) -> dict[str, Any]:
        """Where answers are kept, and what has been found out about the models: workers need not look again."""
        store, temporary = self._folders.store(), self._folders.temporary()
        found = {} if self._asking is None else self._asking.fingerprints()
        return {
            "forgetting_store": str(store),
            "forgetting_temporary": None if temporary is None else str(temporary),
            "forgetting_device": self._cluster_device(),
            "forgetting_fingerprints": found,
        }

    def _cluster_device(self) -> str | None:
        """The device that a cluster's actors have, where the controller has looked."""
        if self.settings.engine != "ray" or self._asking is None:
            return None
        return self._asking.evaluation.sides["model"].participant.device

    def _own_settings(self) -> Settings:
        """The settings; a worker does not look at a cluster that the controller has looked at."""
        device = (self._workerinput or {}).get("forgetting_device")
        return self.settings if device is None else replace(self.settings, device=device)

    def pytest_report_header(self) -> str:
        """Who is compared with whom, and whose answers are recorded."""
        return header(self.settings)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep a file's items together and its gates last, whatever order others chose."""
        ours = [item for item in items if isinstance(item, ForgettingItem)]
        place = {path: n for n, path in reversed(list(enumerate(item.path for item in ours)))}
        ours.sort(key=lambda item: (place[item.path], isinstance(item, GateItem)))
        following = iter(ours)
        items[:] = [next(following) if isinstance(item, ForgettingItem) else item for item in items]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Know suites that could not be read: what is said of the others does not speak for them."""
        if report.failed and Path(report.nodeid).suffix in SUFFIXES and report.nodeid not in self._unread:
            self._unread.append(report.nodeid)

    @pytest.hookimpl(tryfirst=True)  # before the terminal asks what there is to say of the collection
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note what was selected."""
        for item in session.items:
            if isinstance(item, CaseItem):
                self._selection.take(item.suite, [item.case])
            elif isinstance(item, GateItem):
                self._selection.take_gate(item.suite, item.category)
        self._take_whole()

    def _take_whole(self) -> None:
        """A recording holds whole suites, whichever of their cases were selected."""
        if self.settings.record is not None:
            for suite in list(self._selection.suites.values()):
                self._selection.take(suite, suite.cases)

    def pytest_report_collectionfinish(self) -> list[str]:
        """Name suites that are too small for what they ask, and what the audit warns of before anything is asked."""
        return self._notices(self._selection)

    def _tell_collected(self) -> None:
        """The same where workers collect: pytest asks for such lines only where it has collected itself."""
        selection = Selection()
        self._workers.select(selection, self.loader)
        reporter: pytest.TerminalReporter | None = self.config.pluginmanager.get_plugin("terminalreporter")
        lines = self._notices(selection)
        if reporter is None or not lines:
            return
        if reporter.isatty:
            reporter.write_line("")  # xdist draws the state of its workers on the line where the cursor stands
        for line in lines:
            reporter.write_line(line)

    def _notices(self, selection: Selection) -> list[str]:
        if self.config.get_verbosity() < 0:
            return []
        asked = self._asking is not None and self.gated and bool(selection.suites)
        return list(notices(selection, self.settings, self.evaluation.pair.findings() if asked else ()))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Answer everything selected before the first item runs; no item is charged for it."""
        option = session.config.option
        broken = bool(session.testsfailed and self._workerinput is None)
        self._idle = runtest_protocol.only_looks(option) or (broken and not option.continue_on_collection_errors)
        if self._selection.suites and not (self._idle or broken):
            self.asking.all_selected()
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self,
        item: pytest.Item,
        nextitem: pytest.Item | None,  # noqa: ARG002 - the hook's signature
    ) -> Generator[None, object, object]:
        """Make sure of this item's answers, outside of any timeout; with ``-x`` this is where answers are asked."""
        if isinstance(item, ForgettingItem) and not self._idle:
            self.asking.make_sure(item)
        result = yield
        if self._asking is not None:
            self._asking.give_way()
        return result

    @pytest.hookimpl(tryfirst=True, specname="pytest_runtest_protocol")
    def pytest_runtest_protocol_of_items(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run our own items."""
        if not isinstance(item, ForgettingItem):
            return None
        light = False
        if isinstance(item, CaseItem) and self.gated and item.case.skip is None and not self._idle:
            result = self.result(item)
            fails = result.fails(item.suite.fail_on)
            light = runtest_protocol.is_uneventful(item, nextitem, fails, result.outcome != "unanswered")
            if light:
                item.describe(result)
        runtest_protocol.run(item, nextitem, light=light)
        return True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None, object, object]:
        """Keep of most cases one report instead of three; note gates that somebody else has skipped."""
        if is_skipped_gate(report):
            self._skipped_gates.append(report.nodeid)
        result = yield
        reporter: pytest.TerminalReporter | None = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            runtest_protocol.drop(report, reporter.stats)
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport | pytest.CollectReport) -> Any:
        """Our letters and words; the categories stay pytest's own."""
        return status_of(report)

    # The end

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Count, write the reports, free the models."""
        self._workers.close()
        if self._asking is None:
            return
        try:
            self._end(session, self._asking)
        except KeyboardInterrupt:  # which pytest expects here no more
            session.exitstatus = pytest.ExitCode.INTERRUPTED
            self._written.notes.append("interrupted before all of its files were written")
        finally:
            self._asking.evaluation.close()

    def _end(self, session: pytest.Session, asking: AskingAhead) -> None:
        efforts = conclusion.effort_of(asking.evaluation.interview)
        if self._workerinput is not None:
            output = self.config.workeroutput  # type: ignore[attr-defined]  # xdist adds it to its workers
            output.update(forgetting_effort=efforts, forgetting_exit=asking.exit_code)
            output.update(forgetting_refused=asking.evaluation.pair.refused())
        else:
            self._conclude(session, [*efforts, *self._workers.efforts])

    def _conclude(self, session: pytest.Session, efforts: Sequence[conclusion.Effort]) -> None:
        exit_code = self.asking.exit_code or self._workers.exit_code
        if exit_code is not None:
            session.exitstatus = exit_code
            return
        if self._idle:
            return
        self._workers.select(self._selection, self.loader)
        self._take_whole()
        self._selection.leave_gates(self._skipped_gates)
        for refused in self._workers.refused:
            self.evaluation.pair.take_over(refused)
        self.evaluation.recall(self._selection.wanted())
        if self.gated:
            self.comparison = conclusion.compared(self.evaluation, self._selection, efforts, self._unread)
            tell_junit(self.config, self.comparison)
        self._written = output_files.write_files(self.comparison, self.asking.recorder, self._selection, self.settings)
        if self._written.failed:
            session.exitstatus = CANNOT_ANSWER
        if session.exitstatus == pytest.ExitCode.OK and self.comparison is not None:
            self._see_green(session, self.comparison)

    def _see_green(self, session: pytest.Session, comparison: Comparison) -> None:
        """See that a run is green that pytest takes for passed: others may have marked, changed or not run items."""
        if comparison.fails_build:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            self._written.notes.append(conclusion.OVERRULED)
        elif conclusion.is_unfinished(comparison):
            session.exitstatus = CANNOT_ANSWER

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None, object, object]:
        """Below everything else: the table, what was forgotten, and the counts right above pytest's last line."""
        result = yield
        from pytest_forgetting.session.summary import write_summary

        write_summary(terminalreporter, self.comparison, self._written, self.settings)
        return result
