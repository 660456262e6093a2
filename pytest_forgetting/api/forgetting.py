"""The pair given on the command line, for tests of one's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_forgetting.api.given_suites import Suites, read_suites
from pytest_forgetting.api.retained import share
from pytest_forgetting.comparison.comparison import Comparison, Timing
from pytest_forgetting.suite_loader import SuiteLoader

if TYPE_CHECKING:
    from pytest_forgetting.answers.interview import Effort
    from pytest_forgetting.evaluation.evaluation import Evaluation
    from pytest_forgetting.settings import Settings
    from pytest_forgetting.suites.cases import Suite


class Forgetting:
    """What the fixture `forgetting` gives: the gate on this run's own two models."""

    def __init__(
        self,
        evaluation: Evaluation,
        settings: Settings,
        loader: SuiteLoader,
        here: Sequence[Path],
        guarded: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        """Nothing is asked yet.

        Args:
            evaluation: of the run.
            settings: of the run.
            loader: of the run, whose suites are not read again.
            here: the folders that relative paths may start from; node ids start from the first.
            guarded: what is to stand around asking.
        """
        self._evaluation = evaluation
        self._settings = settings
        self._loader = loader
        self._here = here
        self._guarded = guarded

    def compare(self, suites: Suites, *, max_drop: float | str | None = None) -> Comparison:
        """Ask both models all `suites` and say what was retained, forgotten or learned.

        As `pytest_forgetting.compare` does, under the options of this run and with its store: what the run's own
        suites have asked is not asked again.

        Args:
            suites: a suite file, a folder of them, a `Suite`, several of these, or a list of cases. Relative paths
                start from pytest's rootdir or, where there is no such file, from the folder that pytest was started in.
            max_drop: overrides the suites' overall thresholds, and ``--max-drop``.

        Raises:
            WrongUsage: a path or `max_drop` cannot be meant, or the suites do not fit a recording.
            SuiteError: a suite cannot be read.
            CannotAnswer: a model cannot be asked.
        """
        loader = self._loader
        if max_drop is not None:
            loader = SuiteLoader(replace(self._settings, max_drop=share("max_drop", max_drop)))
        read = read_suites(suites, loader, self._here, root=self._here[0])
        evaluation = self._evaluation
        evaluation.check_recordings(loader.whole(suite.nodeid for suite in read))
        interview = evaluation.interview
        with self._guarded(), nullcontext() if interview is None else interview.apart() as effort:
            evaluation.ensure([(suite, case) for suite in read for case in suite.cases])
        judged = [evaluation.judge_suite(suite, suite.cases) for suite in read]
        return evaluation.comparison(judged, _timing(read, effort))


def _timing(suites: Sequence[Suite], effort: Effort | None) -> Timing:
    """Where the answers came from."""
    asked = sum(case.skip is None for suite in suites for case in suite.cases)
    if effort is None:
        return Timing(baseline_stored=asked, model_stored=asked)
    return Timing.of(asked, effort.seconds, effort.computed)
