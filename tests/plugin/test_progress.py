"""Progress of long work, as a terminal and as a log see it; time is moved by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pytest_forgetting.session.pace import Pace
from pytest_forgetting.session.progress import TerminalProgress
from pytest_forgetting.session.relay import Relay, Teller


class Written:
    """An output that remembers."""

    def __init__(self, *, isatty: bool, verbosity: int = 0) -> None:
        """Nothing is written yet."""
        self.isatty, self.verbosity = isatty, verbosity
        self.lines: list[str] = []
        self.whole: list[str] = []
        self.drawn: list[str] = []
        """The same without bars."""

    def ensure_newline(self) -> None:
        """Nobody else writes here."""

    def write_line(self, line: str) -> None:
        """One line."""
        self.lines.append(line)

    def rewrite(self, line: str, *, erase: bool) -> None:  # noqa: ARG002 - as pytest's reporter
        """The last line anew."""
        self.whole.append(line)
        self.drawn.append(re.sub("[█ ]+ ", " ", line))


@pytest.fixture
def clock() -> list[float]:
    """A clock of one value, to be moved by hand."""
    return [100.0]


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of a common width."""
    monkeypatch.setenv("COLUMNS", "100")


def work(
    output: Written, clock: list[float], *seconds: float, costs: tuple[float, ...] = (), loading: float = 3.0
) -> None:
    """Answers that each take so many seconds, of a model that has to be loaded first."""
    shown = TerminalProgress(output, clock=lambda: clock[0])
    shown.load("./m")
    clock[0] += loading
    shown.start("model", len(seconds), sum(costs))
    for each, cost in zip(seconds, costs or (0.0,) * len(seconds), strict=True):
        clock[0] += each
        shown.advance(1, cost)
    shown.finish()


def test_a_terminal_shows_rate_and_time_left(clock: list[float]) -> None:
    """The line is drawn anew as answers come; then it is cleared, and one line stays."""
    output = Written(isatty=True)
    work(output, clock, 2.0, 2.0, 2.0, 2.0)
    assert output.drawn == [
        "forgetting: loading ./m",
        "forgetting: model 0/4 answers",
        "forgetting: model 1/4 answers, 0.5/s, 6 s left",
        "forgetting: model 2/4 answers, 0.5/s, 4 s left",
        "forgetting: model 3/4 answers, 0.5/s, 2 s left",
        "forgetting: model 4/4 answers, 0.5/s, 0 s left",
        "",
        "",
    ]
    assert output.lines == ["forgetting: model 4 answers in 8.0 s, ./m loaded in 3.0 s"]


def test_time_left_goes_by_what_answers_cost(clock: list[float]) -> None:
    """The longest come first: after half of the time, one of four is there, and half is left."""
    output = Written(isatty=True)
    work(output, clock, 6.0, 3.0, 2.0, 1.0, costs=(600, 300, 200, 100))
    left = [line.rpartition(", ")[2] for line in output.drawn if "left" in line]
    assert left == ["6 s left", "3 s left", "1 s left", "0 s left"]


def test_what_is_to_come_can_be_corrected(clock: list[float]) -> None:
    """Work that is taken share by share is one line, whose total is what is done and what is to come."""
    output = Written(isatty=True)
    shown = TerminalProgress(output, clock=lambda: clock[0])
    for total, done in ((30, 10), (16, 12), (5, 5)):
        shown.start("model", total)
        clock[0] += 1
        shown.advance(done)
    shown.finish()
    counts = [line.partition(" answers")[0].rpartition(" ")[2] for line in output.drawn if "left" in line]
    assert counts == ["10/30", "10/26", "22/26", "22/27", "27/27"]
    assert output.lines == ["forgetting: model 27 answers in 3.0 s"]


def test_a_slow_first_batch_is_soon_forgotten() -> None:
    """The latest steps count most."""
    pace = Pace()
    pace.begin(0.0)
    pace.add(1, 100.0)
    now = 100.0
    for _ in range(20):
        now += 1
        pace.add(1, now)
    assert pace.seconds_for(10) == pytest.approx(10, rel=0.2)


def test_a_terminal_is_not_redrawn_for_every_answer(clock: list[float]) -> None:
    """A tenth of a second lies between two drawings."""
    output = Written(isatty=True)
    work(output, clock, *(0.04,) * 100)
    assert len([line for line in output.drawn if "left" in line]) == pytest.approx(4.0 / 0.12, abs=2)


@pytest.mark.parametrize(("columns", "told"), [(80, "forgetting: model ████"), (50, "forgetting: model 2/4")])
def test_the_line_fits_the_terminal(
    clock: list[float], monkeypatch: pytest.MonkeyPatch, columns: int, told: str
) -> None:
    """A bar where there is room for one; never more than a line, which could not be drawn over."""
    monkeypatch.setenv("COLUMNS", str(columns))
    output = Written(isatty=True)
    work(output, clock, 2.0, 2.0, 2.0, 2.0)
    assert max(map(len, output.whole)) < columns
    assert any(line.startswith(told) for line in output.whole)


def test_a_very_narrow_terminal_is_written_to_like_a_log(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest takes such a width for wrong, and would draw over two lines."""
    monkeypatch.setenv("COLUMNS", "30")
    output = Written(isatty=True)
    work(output, clock, 2.0)
    assert output.drawn == []
    assert len(output.lines) == 2


@pytest.mark.parametrize(("seconds", "between"), [(1.0, 0), (6.0, 1), (11.0, 3)])
def test_a_log_gets_a_line_now_and_then(clock: list[float], seconds: float, between: int) -> None:
    """One for loading, at most one in ten seconds, and one at the end."""
    output = Written(isatty=False)
    work(output, clock, *(seconds,) * 4)
    assert output.drawn == []
    assert output.lines[0] == "forgetting: loading ./m"
    assert len(output.lines) == between + 2
    assert output.lines[-1].startswith("forgetting: model 4 answers in ")


def test_a_slow_load_brings_no_line_of_its_own(clock: list[float]) -> None:
    """The first answer comes long after the last line, and soon after the work began."""
    output = Written(isatty=False)
    work(output, clock, 1.0, 1.0, loading=600.0)
    assert output.lines == ["forgetting: loading ./m", "forgetting: model 2 answers in 2.0 s, ./m loaded in 600.0 s"]


def test_a_line_in_a_log_has_rate_and_time_left(clock: list[float]) -> None:
    """As in a terminal."""
    output = Written(isatty=False)
    work(output, clock, *(20.0,) * 8)
    assert output.lines[1] == "forgetting: model 1/8 answers, 0.1/s, 2 min left"


def test_hours_of_work_do_not_fill_a_log(clock: list[float]) -> None:
    """The lines become rarer."""
    output = Written(isatty=False)
    work(output, clock, *(10.0,) * 3600)
    assert 30 < len(output.lines) < 90
    assert output.lines[-2].endswith(" min left")
    assert output.lines[20].endswith(" h left")


def test_quiet_is_silent(clock: list[float]) -> None:
    """Under `-q` nothing is written."""
    output = Written(isatty=True, verbosity=-1)
    work(output, clock, 20.0, 20.0)
    assert output.lines == output.drawn == []


def test_loading_that_fails_leaves_nothing(clock: list[float]) -> None:
    """No line says that answers were given."""
    output = Written(isatty=True)
    shown = TerminalProgress(output, clock=lambda: clock[0])
    shown.load("./m")
    shown.finish()
    assert output.drawn[-2:] == ["", ""]
    assert output.lines == []


@pytest.fixture
def relay(tmp_path: Path) -> Any:
    """A relay to a log, and its output."""
    output = Written(isatty=False)
    return Relay(tmp_path, output), output


def test_what_workers_tell_is_shown_by_the_controller(tmp_path: Path, relay: Any) -> None:
    """Two workers at once, each with a model of its own."""
    watcher, output = relay
    one, two = (Teller(tmp_path / f"gw{n}.jsonl") for n in range(2))
    watcher.start()
    for teller, label in ((one, "baseline"), (two, "model")):
        teller.load(f"./{label}")
        teller.start(label, 2, 10)
    one.advance(2, 10)
    one.finish()
    two.advance(1, 5)
    watcher.stop()
    watcher.stop()
    assert output.lines[:2] == ["forgetting: loading ./baseline", "forgetting: loading ./model"]
    assert re.fullmatch(r"forgetting: baseline 2 answers in .* s, ./baseline loaded in .* s", output.lines[2])
    assert len(output.lines) == 3


def test_half_a_line_is_left_for_the_next_look(tmp_path: Path, relay: Any) -> None:
    """A worker may be writing while the controller reads."""
    watcher, output = relay
    path = tmp_path / "gw0.jsonl"
    path.write_text('[1.0, "load", {"ref": ".')
    watcher._look()
    assert output.lines == []
    with path.open("a") as file:
        file.write('/m"}]\n')
    watcher._look()
    assert output.lines == ["forgetting: loading ./m"]


def test_a_folder_that_is_gone_costs_no_answer(tmp_path: Path) -> None:
    """Progress is a courtesy."""
    Teller(tmp_path / "gone" / "gw0.jsonl").load("./m")
