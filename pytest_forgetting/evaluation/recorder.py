"""Recording: what is asked for it beside the answers, what of an older recording is kept, and writing it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_forgetting.answers import recording_file
from pytest_forgetting.answers.recorded_rows import is_near, to_values
from pytest_forgetting.answers.recording import Recorded
from pytest_forgetting.answers.requests import scored_behind
from pytest_forgetting.answers.served_interview import ServedInterview
from pytest_forgetting.answers.sides import LiveSide, RecordedSide
from pytest_forgetting.comparison.doubts import NEAR, is_half
from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.evaluation.evaluation import by_suite
from pytest_forgetting.evaluation.follow_up import right_text
from pytest_forgetting.models.source import differences

if TYPE_CHECKING:
    from pytest_forgetting.answers.progress import Progress
    from pytest_forgetting.answers.recording import Recording
    from pytest_forgetting.answers.sides import Answers, SideName
    from pytest_forgetting.evaluation.evaluation import Evaluation
    from pytest_forgetting.suites.cases import Case, Suite

    Wanted = Sequence[tuple[Suite, Case]]


class Recorder:
    """Records the answers of one side.

    A recording cannot be asked again. So it holds of answers that rounding may have decided what is said in batches of
    one shape, and beside each answer how likely the right one is held.
    """

    def __init__(self, path: Path, evaluation: Evaluation, name: SideName) -> None:
        """Take over what an older recording of the same model holds; it counts as answered.

        Args:
            path: of the recording.
            evaluation: knows both sides.
            name: of the side that is recorded.

        Raises:
            WrongUsage: another file is there, or the very recording that the model is compared with.
        """
        self._path = path
        self._evaluation = evaluation
        self._name = name
        self._side = evaluation.sides[name]
        self._live = self._side if isinstance(self._side, LiveSide) else None
        self._half = is_half(self._side.participant)
        if name == "model":
            _see_apart(path, evaluation)
        self._old: Recording | None = recording_file.read(str(path)) if path.exists() else None
        self._unlike = [] if self._old is None else differences(self._old.source, self._side.source)
        if self._live is not None and self._old is not None and not self._unlike:
            self._take_over(self._live, self._old)

    def _take_over(self, live: LiveSide, old: Recording) -> None:
        answers = {row.request: row.answer for row in old} | old.likelihoods
        for side in (live.anew,) if self._half else (live.anew, live):
            side.take_over(answers)

    def check(self, suites: Iterable[Suite]) -> None:
        """See that `suites`, whole ones, can be recorded and that nothing else in the file gets lost by it.

        Raises:
            WrongUsage: two cases of one name differ; or an older recording of another model holds other suites too.
        """
        asked = list(suites)
        _see_names(asked)
        others = sorted({row.suite for row in self._kept({suite.name for suite in asked})})
        if others and self._unlike:
            raise WrongUsage(
                f"{self._path} holds answers to other suites too ({', '.join(others)}), and they are of another model"
                f" or were asked otherwise: {'; '.join(self._unlike)}. Record all of its suites, or into another file"
            )

    def ask(self, wanted: Wanted, progress: Progress) -> None:
        """Ask what is recorded beside the answers to `wanted`: doubtful ones in batches of one shape, likelihoods.

        Raises:
            CannotAnswer: the model cannot be asked.
        """
        interview, live = self._evaluation.interview, self._live
        if interview is None:
            return
        if live is not None:
            cases = [case for _, case in wanted if case.skip is None]
            again = [request for case in self._doubtful(live, cases) for request in live.requests(case)]
            interview.ask_requests({self._name: again}, progress, anew=True)
        elif not (isinstance(interview, ServedInterview) and self._name in interview.scoring()):
            return
        rights = [
            scored_behind(self._side.requests(case)[0], text)
            for _, case, answers in self._answered(wanted)
            if (text := self._right(case, answers)) is not None
        ]
        interview.ask_requests({self._name: rights}, progress, anew=self._half)

    def write(self, wanted: Wanted) -> str:
        """Write the answers to `wanted`, and those of an older recording to suites that are not in it.

        Returns:
            One line that says what was written, or why nothing was.

        Raises:
            OSError: the file cannot be written; an older one is left as it was.
        """
        asked = sum(1 for _, case in wanted if case.skip is None)
        answered = list(self._answered(wanted))
        if len(answered) < asked:
            return f"{self._path} not written: only {len(answered)} of {asked} cases were answered"
        rows = list(_distinct(self._rows(answered)))
        kept = list(self._kept({suite.name for suite, _ in wanted}))
        recording_file.write(self._path, self._side.source, sorted([*rows, *kept], key=lambda row: row.suite))
        who = self._side.source.portable().participant.ref
        return f"recorded {len(rows)} answers of {who} in {self._path}{self._changes(rows, kept)}"

    def _changes(self, rows: Sequence[Recorded], kept: Sequence[Recorded]) -> str:
        """What became of an older recording: ``: 1 new, 0 changed, 0 dropped``."""
        if self._old is None:
            return ""
        had = {_place(row): row for row in self._old if row.suite not in {each.suite for each in kept}}
        new = sum(_place(row) not in had for row in rows)
        changed = sum(_place(row) in had and to_values(had[_place(row)]) != to_values(row) for row in rows)
        dropped = len(had.keys() - set(map(_place, rows)))
        others = f", {len(kept)} of other suites kept" if kept else ""
        because = f" ({'; '.join(self._unlike)})" if self._unlike else ""
        return f": {new} new, {changed} changed, {dropped} dropped{others}{because}"

    def _answered(self, wanted: Wanted) -> Iterator[tuple[Suite, Case, Answers]]:
        """The answers to be recorded, as far as they are there."""
        for suite, cases in by_suite((suite, case) for suite, case in wanted if case.skip is None):
            given = self._side.recall(suite, cases) if self._live is None else self._settled(self._live, cases)
            for case, answers in zip(cases, given, strict=True):
                if answers is not None:
                    yield suite, case, answers

    def _settled(self, live: LiveSide, cases: Sequence[Case]) -> list[Answers | None]:
        """What `live` says, where rounding may have decided in batches of one shape."""
        doubtful = self._doubtful(live, cases)
        anew = dict(zip(map(id, doubtful), map(self._marked, live.anew.answers(doubtful)), strict=True))
        return [anew.get(id(case), first) for case, first in zip(cases, live.answers(cases), strict=True)]

    def _marked(self, answers: Answers | None) -> Answers | None:
        """Known for near ties, whatever the gap there; in half precision all are doubtful, and none is marked."""
        if answers is None:
            return None
        return tuple(replace(each, gap=None if self._half or each.gap is None else 0.0) for each in answers)

    def _doubtful(self, live: LiveSide, cases: Sequence[Case]) -> list[Case]:
        """Those whose answers rounding may have decided."""
        if self._half:
            return list(cases)
        given = zip(cases, live.answers(cases), strict=True)
        return [case for case, answers in given if answers is not None and self._is_near(case, answers)]

    def _is_near(self, case: Case, answers: Answers) -> bool:
        margin = self._evaluation.grade(case, answers).gap if case.choices else None
        return any(map(is_near, answers)) or (margin is not None and margin < NEAR)

    def _right(self, case: Case, answers: Answers) -> str | None:
        return right_text(case, self._evaluation.grade(case, answers))

    def _rows(self, answered: Sequence[tuple[Suite, Case, Answers]]) -> Iterator[Recorded]:
        rights = self._rights(answered)
        for suite, case, answers in answered:
            for n, (request, answer) in enumerate(zip(self._side.requests(case), answers, strict=True)):
                yield Recorded(suite.name, case.id, request, answer, rights.get(id(case)) if n == 0 else None)

    def _rights(self, answered: Iterable[tuple[Suite, Case, Answers]]) -> dict[int, tuple[str, float]]:
        """By the id of a case, a right answer and its log-likelihood, as far as it is known."""
        scoring = self._live.anew if self._live is not None and self._half else self._side
        told = [(case, self._right(case, answers)) for _, case, answers in answered]
        asked = [(case, text) for case, text in told if text is not None]
        given = scoring.stored([scored_behind(scoring.requests(case)[0], text) for case, text in asked])
        return {
            id(case): (text, answer.loglikelihoods[0])
            for (case, text), answer in zip(asked, given, strict=True)
            if answer is not None and answer.finish == "scored"
        }

    def _kept(self, asked: set[str]) -> Iterator[Recorded]:
        """Answers of an older recording to suites other than those `asked`."""
        return (row for row in self._old or () if row.suite not in asked)


def _place(row: Recorded) -> tuple[object, ...]:
    return row.suite, row.id, row.request.draw


def _distinct(rows: Iterable[Recorded]) -> Iterator[Recorded]:
    """Two files may bear one name, and ask the same."""
    seen = set()
    for row in rows:
        if _place(row) not in seen:
            seen.add(_place(row))
            yield row


def _see_apart(path: Path, evaluation: Evaluation) -> None:
    baseline = evaluation.sides["baseline"]
    if isinstance(baseline, RecordedSide) and Path(baseline.recording.ref).resolve() == path.resolve():
        raise WrongUsage(
            f"--forgetting-record {path}: is the baseline that the model is compared with, and would be replaced by the"
            " model's answers; name another file, or record the baseline without --model"
        )


def _see_names(suites: Iterable[Suite]) -> None:
    """See that a suite's name and a case's id say which case is meant."""
    known: dict[tuple[str, str], Case] = {}
    for suite in suites:
        for case in suite.cases:
            other = known.setdefault((suite.name, case.id), case)
            if other.prompt != case.prompt:
                raise WrongUsage(
                    f"{other.file}:{other.line} and {case.file}:{case.line}: two cases '{case.id}' of suites named"
                    f" '{suite.name}' ask different things; a recording needs a name of its own for each suite"
                )
