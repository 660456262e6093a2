"""Answers come ahead of the items: for all that was selected, or in windows where the run may stop early."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_forgetting.errors import CannotAnswer, ForgettingError, WrongUsage
from pytest_forgetting.session import output_files
from pytest_forgetting.session.collection import CaseItem, ForgettingItem, GateItem
from pytest_forgetting.session.progress import Output, TerminalProgress
from pytest_forgetting.session.verdicts import Verdicts

if TYPE_CHECKING:
    import pytest

    from pytest_forgetting.answers.progress import Progress
    from pytest_forgetting.evaluation.evaluation import Evaluation
    from pytest_forgetting.evaluation.recorder import Recorder
    from pytest_forgetting.session.selection import Selection
    from pytest_forgetting.settings import Settings
    from pytest_forgetting.suite_loader import SuiteLoader
    from pytest_forgetting.suites.cases import Case, Suite

WINDOW = 32
"""Items answered ahead where the run may stop early (-x, --maxfail, --stepwise)."""
CANNOT_ANSWER, WRONG_USAGE = 3, 4
"""Exit codes."""


class AskingAhead:
    """Asks both models for the items of a session, and ends it where they cannot be asked."""

    def __init__(
        self,
        session: pytest.Session,
        evaluation: Evaluation,
        selection: Selection,
        loader: SuiteLoader,
        settings: Settings,
    ) -> None:
        """Nothing is asked yet; `selection` is filled by the time that something is."""
        self.evaluation = evaluation
        self.recorder: Recorder | None = None
        self.verdicts = Verdicts(evaluation, selection, settings.inconclusive)
        self.exit_code: int | None = None
        """What the run ends with; None where the models could be asked."""
        self._session = session
        self._selection = selection
        self._loader = loader
        self._settings = settings
        self._places: dict[int, int] = {}
        self._workerinput: dict[str, Any] | None = getattr(session.config, "workerinput", None)

    def all_selected(self) -> None:
        """Ask for all items, or for none yet where the run may stop early, once it is seen that recordings fit."""
        self._see_recordings()
        self._answer([] if self._stops_early else self._selection.wanted())

    def make_sure(self, item: ForgettingItem) -> None:
        """Ask for what this item needs and is not known, and in a window for what comes next."""
        if not self._knows(item):
            self._answer(self._window(item))

    def give_way(self) -> None:
        """Between two items: let others have the device."""
        if self.evaluation.interview is not None:
            self.evaluation.interview.give_way()

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Where a model cannot be asked no other test can ask it either: the run ends behind this one."""
        try:
            yield
        except CannotAnswer as error:
            self.exit_code = CANNOT_ANSWER
            self._session.shouldfail = f"forgetting: {error}"
            raise

    @property
    def _stops_early(self) -> bool:
        option = self._session.config.option
        # A worker of xdist answers for all of them: whoever comes first saves the others a second load.
        stops = bool(option.maxfail or getattr(option, "stepwise", False))
        return stops and self._workerinput is None and self.recorder is None

    def _knows(self, item: ForgettingItem) -> bool:
        judged = isinstance(item, GateItem) and self.verdicts.has(item.suite, item.category)
        return judged or self.evaluation.knows(item.asks)

    def _window(self, item: ForgettingItem) -> list[tuple[Suite, Case]]:
        items = item.session.items
        if not self._places:
            self._places = {id(each): n for n, each in enumerate(items)}
        start = self._places[id(item)]
        ahead = items[start : start + WINDOW] if isinstance(item, CaseItem) else ()
        chosen = [item, *(each for each in ahead if isinstance(each, CaseItem) and each is not item)]
        return [(each.suite, case) for each in chosen for case in each.asks]

    def _see_recordings(self) -> None:
        """Once: this looks at every case, and windows are many."""
        with self._stopping():
            self._see_same_models()
            whole = self._loader.whole(sorted(self._selection.suites))
            output_files.see_suites_kept(self._settings, whole, self._session.config.rootpath)
            self.evaluation.check_recordings(whole)
            if self.recorder is not None:
                self.recorder.check(whole)

    def fingerprints(self) -> dict[str, str]:
        """By side, of the models that this process has found."""
        return {name: side.participant.fingerprint for name, side in self.evaluation.sides.items()}

    def _see_same_models(self) -> None:
        """A worker has looked later than the controller: files may have been overwritten between the two."""
        told = (self._workerinput or {}).get("forgetting_fingerprints", {})
        for name, fingerprint in self.fingerprints().items():
            if told.get(name, fingerprint) != fingerprint:
                ref = getattr(self._settings, name) or name
                raise CannotAnswer(f"{ref} was overwritten while it was in use; run again")

    def _answer(self, wanted: Sequence[tuple[Suite, Case]]) -> None:
        with self._stopping():
            progress = self._progress()
            self.evaluation.ensure(wanted, progress)
            if self.recorder is not None:
                self.recorder.ask(wanted, progress)

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        try:
            yield
        except WrongUsage as error:
            self._stop(WRONG_USAGE, error)
        except CannotAnswer as error:
            self._stop(CANNOT_ANSWER, error)

    def _stop(self, code: int, error: ForgettingError) -> None:
        """End the run with one message, in a way that also reaches xdist's controller."""
        self.exit_code = code
        end = "\n" if "\n" in str(error) else ""  # what pytest draws around it is not to touch the last line
        self._session.shouldfail = f"forgetting: {error}{end}"
        raise self._session.Failed(self._session.shouldfail)

    def _progress(self) -> Progress:
        """Where to show how far answering has come: a worker tells the controller, if that wants to know."""
        if self._workerinput is None:
            reporter: Output | None = self._session.config.pluginmanager.get_plugin("terminalreporter")
            return TerminalProgress(reporter)
        from pytest_forgetting.answers.progress import Silent
        from pytest_forgetting.session.relay import Teller

        folder = self._workerinput["forgetting_progress"]
        return Silent() if folder is None else Teller(Path(folder, f"{self._workerinput['workerid']}.jsonl"))
