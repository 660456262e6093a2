"""Progress of long work, as a terminal and as a log see it."""

import time

import pytest

from pytest_forgetting.progress import TerminalProgress


class Written:
    """An output that remembers."""

    def __init__(self, *, isatty: bool, verbosity: int = 0) -> None:
        """Nothing is written yet."""
        self.isatty, self.verbosity = isatty, verbosity
        self.lines: list[str] = []
        self.drawn: list[str] = []

    def write_line(self, line: str) -> None:
        """One line."""
        self.lines.append(line)

    def rewrite(self, line: str, *, erase: bool) -> None:
        """The last line anew."""
        assert erase
        self.drawn.append(line)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock of one value, to be moved by hand."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def work(output: Written, clock: list[float], seconds: float) -> None:
    """Four answers, each after so many seconds."""
    shown = TerminalProgress(output)
    shown.start("model", 4)
    for _ in range(4):
        clock[0] += seconds
        shown.advance(1)
    shown.finish()


def test_a_terminal_shows_rate_and_time_left(clock: list[float]) -> None:
    """The line is drawn anew as answers come, and ends with the total."""
    output = Written(isatty=True)
    work(output, clock, 2.0)
    assert output.drawn == [
        "forgetting: model 0/4 answers, loading",
        "forgetting: model 1/4 answers, 0.5/s, 6 s left",
        "forgetting: model 2/4 answers, 0.5/s, 4 s left",
        "forgetting: model 3/4 answers, 0.5/s, 2 s left",
        "forgetting: model 4/4 answers, 0.5/s, 0 s left",
        "forgetting: model 4 answers in 8.0 s",
    ]


def test_a_terminal_is_not_redrawn_for_every_answer(clock: list[float]) -> None:
    """A tenth of a second lies between two drawings."""
    output = Written(isatty=True)
    work(output, clock, 0.04)
    assert len(output.drawn) == 3  # start, after the third answer, end


@pytest.mark.parametrize(("seconds", "between"), [(1.0, 0), (6.0, 1), (11.0, 3)])
def test_a_log_gets_a_line_now_and_then(clock: list[float], seconds: float, between: int) -> None:
    """At most one in ten seconds, and one at the end."""
    output = Written(isatty=False)
    work(output, clock, seconds)
    assert output.drawn == []
    assert len(output.lines) == between + 1
    assert output.lines[-1].startswith("forgetting: model 4 answers in ")


def test_quiet_is_silent(clock: list[float]) -> None:
    """Under `-q` nothing is written."""
    output = Written(isatty=True, verbosity=-1)
    work(output, clock, 20.0)
    assert output.lines == output.drawn == []
