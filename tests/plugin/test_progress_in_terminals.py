"""Progress as it is seen in a real terminal, and in a pipe; with and without workers. No test asserts a time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.plugin.terminals import in_terminal, screen
from tests.tiny_models import tiny_llama

RUN = ("--model=./tuned", "--baseline=./base", "--device=cpu", "--forgetting-no-store", "--batch-size=1", "s.yaml")
CASES = 6
STAYS = [
    rf"forgetting: baseline {CASES} answers in [\d.]+ s, \./base loaded in [\d.]+ s",
    rf"forgetting: model {CASES} answers in [\d.]+ s, \./tuned loaded in [\d.]+ s",
]
"""What is left of it in the end."""
SLOW = """
import time
from pytest_forgetting.answers.generation import Decoder
decode = Decoder.decode
def slow(self, rows):
    decode(self, rows)
    time.sleep(0.5)
Decoder.decode = slow
"""


@pytest.fixture
def pair(pytester: pytest.Pytester) -> Path:
    """Two models and a suite; enough is allowed to be lost."""
    tiny_llama(pytester.path / "base", seed=1)
    tiny_llama(pytester.path / "tuned", seed=2)
    rows = "".join(f"  - {{id: c{n}, prompt: 'number {n}', answer: '.', match: regex}}\n" for n in range(CASES))
    (pytester.path / "s.yaml").write_text(f"forgetting: qa\nmax_new_tokens: 4\ncases:\n{rows}")
    return pytester.path


def ours(lines: list[str]) -> list[str]:
    """The lines about progress, in order."""
    return [line for line in lines if re.match(r"forgetting: (loading|baseline|model)\b", line)]


def see_what_stays(lines: list[str]) -> None:
    """One line for each model, and each at the line's very beginning."""
    assert len(ours(lines)) == 2, lines
    for line, wanted in zip(ours(lines), STAYS, strict=True):
        assert re.fullmatch(wanted, line)


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-s", "--color=no"),
        ("-p", "no:capture"),
        ("-x",),
        ("-n", "2"),
    ],
)
def test_in_a_terminal_a_bar_moves_and_is_cleared(pair: Path, options: tuple[str, ...]) -> None:
    """Drawn over and over on one line; what stays is one line for each model, and pytest's own output as ever."""
    code, written = in_terminal(pair, *RUN, *options)
    assert code == 0
    assert "\rforgetting: loading ./base" in written
    if "-n" not in options:  # a worker may be done before the controller looks
        assert re.search(rf"\rforgetting: baseline  +0/{CASES} answers", written)
    lines = screen(written)
    see_what_stays(lines)
    assert f"{CASES} retained, 0 forgotten, 0 learned, 0 unknown" in lines
    assert "[gw0] forgetting" not in written
    if "-v" not in options:
        assert any(re.fullmatch(r"s\.yaml \.{7}( +\[100%\])?", line) or line.startswith("......") for line in lines), (
            lines
        )


def test_a_narrow_terminal_without_color_is_drawn_on_within_its_width(pair: Path) -> None:
    """What is wider than the terminal could not be drawn over; NO_COLOR lets no escape sequence through."""
    _, written = in_terminal(pair, *RUN, columns=45, environment={"NO_COLOR": "1"})
    parts = [part for line in written.split("\n") for part in line.split("\r")]
    drawn = [part for part in parts if f"/{CASES} answers" in part]
    assert drawn
    assert max(len(part.rstrip()) for part in drawn) < 45
    assert "\x1b" not in written
    assert len([line for line in screen(written) if re.match(r"forgetting: \w+ 6 answers", line)]) == 2


@pytest.mark.parametrize("options", [("-p", "no:terminal"), ("-q", "-n", "2")])
def test_nothing_is_told_where_nobody_wants_it(pair: Path, options: tuple[str, ...]) -> None:
    """Quiet, or without a terminal reporter."""
    code, written = in_terminal(pair, *RUN, *options)
    assert code == 0
    assert not re.search(r"forgetting: (loading|baseline|model)\b", written)


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_in_a_pipe_there_are_whole_lines(pytester: pytest.Pytester, pair: Path, options: tuple[str, ...]) -> None:
    """Loading is told when it begins; nothing is drawn over."""
    result = pytester.runpytest_subprocess(*RUN, *options)
    assert "\r" not in result.stdout.str()
    loading = [line for line in result.outlines if line.startswith("forgetting: loading")]
    assert loading == ["forgetting: loading ./base", "forgetting: loading ./tuned"]
    # On a busy machine a line now and then may stand between.
    see_what_stays([line for line in result.outlines if line not in loading and f"/{CASES} answers" not in line])
    assert "forgetting" not in result.stderr.str()


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_after_an_interrupt_nothing_is_left(pytester: pytest.Pytester, pair: Path, options: tuple[str, ...]) -> None:
    """Ctrl-C in mid-work: the bar is gone, and pytest says that it was interrupted."""
    pytester.makeconftest(SLOW)
    code, written = in_terminal(pair, *RUN, *options, interrupt_at=f"0/{CASES} answers")
    assert code == 2
    lines = screen(written)
    assert not [line for line in lines if f"/{CASES} answers" in line or "loading" in line]
    assert any("KeyboardInterrupt" in line for line in lines)
