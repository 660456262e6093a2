"""xdist's workers as the controller sees them: what they are told, what they ran, what asking cost them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_forgetting.errors import ForgettingError
from pytest_forgetting.session.relay import Relay
from pytest_forgetting.session.selection import SUITE_SUFFIXES, Selection, parted
from pytest_forgetting.session.termination import before_termination

if TYPE_CHECKING:
    from pytest_forgetting.suite_loader import SuiteLoader
    from pytest_forgetting.suites.cases import Case, Suite

WORKER_ENDS_IN = 2.0
"""Seconds within which a worker that is told to end is expected to have ended."""


class Workers:
    """Registered beside the run, except in a worker itself; without xdist its hooks are never called."""

    def __init__(
        self, config: pytest.Config, told: Callable[[], dict[str, Any]], collected: Callable[[], None]
    ) -> None:
        """Prepare for workers.

        Args:
            config: of the controller.
            told: gives what each of them is told, as plain values by their names in its `workerinput`.
            collected: is called once they have collected.
        """
        self._config = config
        self._told = told
        self._collected = collected
        self._nodeids: list[str] = []
        self._cases: dict[str, dict[tuple[str, str], Case]] = {}
        self._collecting = 0
        self._progress: Path | None = None
        self._relay: Relay | None = None
        self.efforts: list[dict[str, Any]] = []
        self.refused: list[list[dict[str, Any]]] = []
        """What their stores have not taken."""
        self.exit_code: int | None = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker what it needs to know, and where to tell of its progress."""
        self._collecting += 1
        node.workerinput.update(self._told(), forgetting_progress=self._progress_folder())
        self._config.add_cleanup(before_termination(partial(_end_worker, node)))

    @pytest.hookimpl(optionalhook=True)
    # The hook's signature.
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:  # noqa: ARG002
        """Note what the workers selected; each has selected the same."""
        if not self._nodeids and ids:
            self._nodeids = list(ids)
            self._collected()
        self._collecting -= 1
        if self._collecting == 0 and self._relay is not None:
            self._relay.start()  # not sooner: xdist tells of each worker, on the line where the cursor stands

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        """Results are about to be shown: answers are there."""
        if self._relay is not None:
            self._relay.stop()

    def close(self) -> None:
        """Leave nothing of what was shown, nor of the folder behind it."""
        if self._relay is not None:
            self._relay.stop()
        if self._progress is not None:
            shutil.rmtree(self._progress, ignore_errors=True)

    def _progress_folder(self) -> str | None:
        """Where workers tell of their progress, None where nobody would see it."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None or reporter.verbosity < 0:
            return None
        if self._progress is None:
            from pytest_forgetting.session.temporary_folder import temporary_folder

            self._progress = temporary_folder(self._config.add_cleanup)
            self._relay = Relay(self._progress, reporter)
        return str(self._progress)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:  # noqa: ARG002 - the hook's signature
        """Collect what asking cost a worker, and why it stopped."""
        output = getattr(node, "workeroutput", None) or {}
        self.efforts += output.get("forgetting_effort", [])
        self.refused.append(output.get("forgetting_refused", []))
        self.exit_code = output.get("forgetting_exit") or self.exit_code

    def select(self, selection: Selection, loader: SuiteLoader) -> None:
        """Add what the workers ran to `selection`: the controller itself collects nothing."""
        for nodeid in self._nodeids:
            file, names = parted(nodeid)
            suite = self._suite(file, loader) if names and file.endswith(SUITE_SUFFIXES) else None
            if suite is None:
                continue
            if names[-1] == "gate":
                selection.take_gate(suite, names[0] if len(names) == 2 else None)
            elif (case := self._case(suite, names)) is not None:
                selection.take(suite, [case])

    def _case(self, suite: Suite, names: Sequence[str]) -> Case | None:
        if suite.nodeid not in self._cases:
            self._cases[suite.nodeid] = {(case.category, case.id): case for case in suite.cases}
        return self._cases[suite.nodeid].get((names[0], names[-1]))

    def _suite(self, file: str, loader: SuiteLoader) -> Suite | None:
        path = Path(os.path.normpath(self._config.rootpath / file))  # it may lie outside of the root
        if file not in loader:
            # Checks of a user's own are registered by conftest files, which only workers have imported so far.
            self._config.pluginmanager._loadconftestmodules(
                path,
                self._config.getoption("importmode"),
                rootpath=self._config.rootpath,
                consider_namespace_packages=self._config.getini("consider_namespace_packages"),
            )
        try:
            return loader.suite(path, file)
        except ForgettingError:
            return None  # the workers have told it


def _end_worker(node: Any) -> None:
    """End the process of a worker on this machine, so that it writes to no folder that is about to be removed."""
    process = getattr(getattr(node.gateway, "_io", None), "popen", None)  # execnet has no public way to it
    if process is not None:
        process.terminate()
        process.wait(WORKER_ENDS_IN)
