"""The run: registered with pytest once a model was named. Answers come ahead of the items, the report after them."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_forgetting import conclusion, options, protocol
from pytest_forgetting.collection import CaseItem, ForgettingItem, GateItem
from pytest_forgetting.comparison.comparison import blocks
from pytest_forgetting.comparison.scopes import ScopeResult
from pytest_forgetting.errors import CannotAnswer, ForgettingError, WrongUsage
from pytest_forgetting.github_actions import GitHubActions, on_github
from pytest_forgetting.notices import header, notices
from pytest_forgetting.progress import Output, TerminalProgress
from pytest_forgetting.properties import tell_junit
from pytest_forgetting.selection import Selection
from pytest_forgetting.shelf import Shelf
from pytest_forgetting.statuses import status_of
from pytest_forgetting.suites.detection import SUFFIXES
from pytest_forgetting.workers import Workers

if TYPE_CHECKING:
    from pytest_forgetting.answers.sides import SideName
    from pytest_forgetting.answers.watching import Progress
    from pytest_forgetting.comparison.comparison import Comparison
    from pytest_forgetting.comparison.outcomes import CaseResult
    from pytest_forgetting.evaluate import Evaluation
    from pytest_forgetting.forgetting import Forgetting
    from pytest_forgetting.language_model import LanguageModel
    from pytest_forgetting.recorder import Recorder
    from pytest_forgetting.settings import Settings
    from pytest_forgetting.suites.cases import Case, Suite

WINDOW = 32
"""Items answered ahead where the run may stop early (-x, --maxfail, --stepwise)."""
CANNOT_ANSWER, WRONG_USAGE = 3, 4
"""Exit codes."""


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
        self.comparison: Comparison | None = None
        self.shelf = Shelf(self.settings)
        self._selection = Selection()
        self._exit_code: int | None = None
        self._written = conclusion.Written()
        self._evaluation: Evaluation | None = None
        self._recorder: Recorder | None = None
        self._verdicts: dict[tuple[str, str | None], ScopeResult] = {}
        self._decided: bool | None = None
        self._unread: list[str] = []
        self._unanswerable: str | None = None
        self._stillborn = False
        """Whether nothing was run for what could not be collected."""
        self._places: dict[int, int] = {}
        self._workerinput: dict[str, Any] | None = getattr(config, "workerinput", None)
        self._temporary: Path | None = None
        self._workers = Workers(
            config,
            self._store_folder,
            self._passing_folder,
            self._tell_collected,
            self._cluster_device,
            self._fingerprints,
        )
        if self._workerinput is None:
            config.pluginmanager.register(self._workers, "forgetting-workers")
            if on_github():
                config.pluginmanager.register(GitHubActions(self), "forgetting-github")

    # What the items ask

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

    # What users' own tests ask

    def pair(self) -> Forgetting:
        """The gate on both models, for the fixture `forgetting`."""
        from pytest_forgetting.forgetting import Forgetting

        here = (self.config.rootpath, self.config.invocation_params.dir)
        return Forgetting(self.evaluation, self.settings, self.shelf, here, self._guarded)

    def language_model(self, name: SideName) -> LanguageModel:
        """One of the two, for the fixtures `candidate` and `baseline`."""
        from pytest_forgetting.language_model import LanguageModel

        evaluation, keep = self.evaluation, self.settings.think == "keep"
        return LanguageModel(
            name, evaluation.sides[name], evaluation.interview, keep_thoughts=keep, guarded=self._guarded
        )

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Where a model cannot be asked no other test can ask it either: the run ends behind this one."""
        try:
            yield
        except CannotAnswer as error:
            self._exit_code = CANNOT_ANSWER
            self._session.shouldfail = f"forgetting: {error}"
            raise

    def _verdict(self, suite: Suite, category: str | None) -> ScopeResult:
        key = (suite.nodeid, category)
        if key not in self._verdicts:
            cases = suite.gate_scope(category)
            self.evaluation.ensure([(suite, case) for case in cases])
            judged = self.evaluation.judge_suite(suite, cases)
            # Those of a family are judged together, once for all of their gates.
            self._verdicts.update({(suite.nodeid, scope.name): scope for scope in judged.categories})
            if category is None:
                self._verdicts[key] = judged.overall
        return self._verdicts[key]

    def _general_decided(self) -> bool:
        """Whether any general gate of the run passed or failed; each undecided one asks."""
        if self._decided is None:
            gates = (
                (suite, gate)
                for name, suite in self._selection.suites.items()
                if suite.role == "general"
                for gate in self._selection.gates[name]
            )
            self._decided = any(self._verdict(suite, gate).ruling.verdict != "inconclusive" for suite, gate in gates)
        return self._decided

    # The session

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Find both models. Nothing is loaded yet."""
        self._session = session
        if session.config.option.collectonly:
            return
        from pytest_forgetting.participants import open_evaluation
        from pytest_forgetting.recorder import Recorder

        try:
            conclusion.see_files(self.settings)
            self._evaluation = open_evaluation(
                self._own_settings(), self._store_folder(), passing=self._passing_folder()
            )
            if self.settings.record is not None:
                self._recorder = Recorder(self.settings.record, self._evaluation, "model" if self.gated else "baseline")
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
        if self._unanswerable is not None:
            pytest.exit(self._unanswerable, returncode=CANNOT_ANSWER)

    def _cluster_device(self) -> str | None:
        """The device that a cluster's actors have, where the controller has looked."""
        if self.settings.engine != "ray" or self._evaluation is None:
            return None
        return self._evaluation.sides["model"].participant.device

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
        self._workers.select(selection, self.shelf)
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
        asked = self._evaluation is not None and self.gated and bool(selection.suites)
        return list(notices(selection, self.settings, self.evaluation.facts.findings() if asked else ()))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Answer everything selected before the first item runs; no item is charged for it."""
        option = session.config.option
        idle = option.collectonly or getattr(option, "setupplan", False) or getattr(option, "setuponly", False)
        broken = bool(session.testsfailed and self._workerinput is None)
        self._stillborn = broken and not option.continue_on_collection_errors
        if self._selection.suites and not (idle or broken):
            self._see_recordings(session)
            self._answer(session, [] if self._stops_early else self._selection.wanted())
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self,
        item: pytest.Item,
        nextitem: pytest.Item | None,  # noqa: ARG002
    ) -> Generator[None, object, object]:
        """Make sure of this item's answers, outside of any timeout; with ``-x`` this is where answers are asked."""
        if isinstance(item, ForgettingItem) and not self._knows(item):
            self._answer(item.session, self._window(item))
        result = yield
        if self._evaluation is not None and self._evaluation.interview is not None:
            self._evaluation.interview.give_way()
        return result

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

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None, object, object]:
        """Keep of most cases one report instead of three."""
        result = yield
        reporter: pytest.TerminalReporter | None = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            protocol.drop(report, reporter.stats)
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport | pytest.CollectReport) -> Any:
        """Our letters and words; the categories stay pytest's own."""
        return status_of(report)

    # Answers

    @property
    def _stops_early(self) -> bool:
        option = self.config.option
        # A worker of xdist answers for all of them: whoever comes first saves the others a second load.
        stops = bool(option.maxfail or getattr(option, "stepwise", False))
        return stops and self._workerinput is None and self._recorder is None

    def _knows(self, item: ForgettingItem) -> bool:
        judged = isinstance(item, GateItem) and (item.suite.nodeid, item.category) in self._verdicts
        return judged or self.evaluation.knows(item.asks)

    def _window(self, item: ForgettingItem) -> list[tuple[Suite, Case]]:
        items = item.session.items
        if not self._places:
            self._places = {id(each): n for n, each in enumerate(items)}
        start = self._places[id(item)]
        ahead = items[start : start + WINDOW] if isinstance(item, CaseItem) else ()
        chosen = [item, *(each for each in ahead if isinstance(each, CaseItem) and each is not item)]
        return [(each.suite, case) for each in chosen for case in each.asks]

    def _see_recordings(self, session: pytest.Session) -> None:
        """Once: this looks at every case, and windows are many."""
        try:
            self._see_same_models()
            whole = self.shelf.whole(sorted(self._selection.suites))
            conclusion.see_suites_kept(self.settings, whole, self.config.rootpath)
            self.evaluation.check_recordings(whole)
            if self._recorder is not None:
                self._recorder.check(whole)
        except WrongUsage as error:
            self._stop(session, WRONG_USAGE, error)
        except CannotAnswer as error:
            self._stop(session, CANNOT_ANSWER, error)

    def _fingerprints(self) -> dict[str, str]:
        """By side, of the models that this process has found."""
        if self._evaluation is None:
            return {}
        return {name: side.participant.fingerprint for name, side in self._evaluation.sides.items()}

    def _see_same_models(self) -> None:
        """A worker has looked later than the controller: files may have been overwritten between the two."""
        told = (self._workerinput or {}).get("forgetting_fingerprints", {})
        for name, fingerprint in self._fingerprints().items():
            if told.get(name, fingerprint) != fingerprint:
                ref = getattr(self.settings, name) or name
                raise CannotAnswer(f"{ref} was overwritten while it was in use; run again")

    def _answer(self, session: pytest.Session, wanted: Sequence[tuple[Suite, Case]]) -> None:
        try:
            progress = self._progress()
            self.evaluation.ensure(wanted, progress)
            if self._recorder is not None:
                self._recorder.ask(wanted, progress)
        except WrongUsage as error:
            self._stop(session, WRONG_USAGE, error)
        except CannotAnswer as error:
            self._stop(session, CANNOT_ANSWER, error)

    def _stop(self, session: pytest.Session, code: int, error: ForgettingError) -> None:
        """End the run with one message, in a way that also reaches xdist's controller."""
        self._exit_code = code
        end = "\n" if "\n" in str(error) else ""  # what pytest draws around it is not to touch the last line
        session.shouldfail = f"forgetting: {error}{end}"
        raise session.Failed(session.shouldfail)

    def _progress(self) -> Progress:
        """Where to show how far answering has come: a worker tells the controller, if that wants to know."""
        if self._workerinput is None:
            reporter: Output | None = self.config.pluginmanager.get_plugin("terminalreporter")
            return TerminalProgress(reporter)
        from pytest_forgetting.evaluate import Silent
        from pytest_forgetting.relay import Teller

        folder = self._workerinput["forgetting_progress"]
        return Silent() if folder is None else Teller(Path(folder, f"{self._workerinput['workerid']}.jsonl"))

    # The store

    def _store_folder(self) -> Path:
        """Where answers are kept: workers share the controller's."""
        if self._workerinput is not None:
            return Path(self._workerinput["forgetting_store"])
        if self.settings.no_store:
            return self._folder_of_this_run()
        from pytest_forgetting.participants import store_folder

        return store_folder(self.settings.store)

    def _passing_folder(self) -> Path | None:
        """Where answers of servers are kept that do not say what they serve; None where there are none such."""
        from pytest_forgetting.models.endpoint import keeps_for_this_run_only

        if not any(map(keeps_for_this_run_only, (self.settings.model, self.settings.baseline))):
            return None
        if self._workerinput is not None:
            return Path(self._workerinput["forgetting_passing"])
        return self._folder_of_this_run()

    def _folder_of_this_run(self) -> Path:
        if self._temporary is None:
            from pytest_forgetting.passing_folder import passing_folder

            # Not in pytest_sessionfinish, which is not called where a session cannot start.
            self._temporary = passing_folder(self.config.add_cleanup)
        return self._temporary

    # The end

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Count, write the reports, free the models."""
        self._workers.close()
        if self._evaluation is not None:
            self._end(session, self._evaluation)

    def _end(self, session: pytest.Session, evaluation: Evaluation) -> None:
        efforts = conclusion.effort_of(evaluation.interview)
        if self._workerinput is not None:
            output = self.config.workeroutput  # type: ignore[attr-defined]
            output.update(forgetting_effort=efforts, forgetting_exit=self._exit_code)
            output.update(forgetting_refused=evaluation.facts.refused())
        else:
            self._conclude(session, [*efforts, *self._workers.efforts])
        evaluation.close()

    def _conclude(self, session: pytest.Session, efforts: Sequence[conclusion.Effort]) -> None:
        exit_code = self._exit_code or self._workers.exit_code
        if exit_code is not None:
            session.exitstatus = exit_code
            return
        if self._stillborn:
            return
        self._workers.select(self._selection, self.shelf)
        self._take_whole()
        for refused in self._workers.refused:
            self.evaluation.facts.take_over(refused)
        self.evaluation.recall(self._selection.wanted())
        if self.gated:
            self.comparison = conclusion.compared(self.evaluation, self._selection, efforts, self._unread)
            tell_junit(self.config, self.comparison)
            if conclusion.is_unfinished(self.comparison) and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = CANNOT_ANSWER
        self._written = conclusion.write_files(self.comparison, self._recorder, self._selection, self.settings)
        if self._written.failed:
            session.exitstatus = CANNOT_ANSWER

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None, object, object]:
        """Below everything else: the table, what was forgotten, and the counts right above pytest's last line."""
        result = yield
        from pytest_forgetting.summary import write_summary

        write_summary(terminalreporter, self.comparison, self._written, self.settings)
        return result
