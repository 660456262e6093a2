"""The benchmarks of speed: what they count, and that their sides do the same work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from operator import attrgetter
from pathlib import Path

import pytest

from benchmarks.gpu import changed
from benchmarks.phases import FILE, REST, START, STARTED, WATCHED
from benchmarks.speed import package_answers
from benchmarks.speed.import_time import outermost
from benchmarks.speed.measuring import Measured, Side, agreement, measured
from benchmarks.speed.others import pipeline_loop, plain_generate
from benchmarks.speed.processes import ROOT, Run, environment, run
from benchmarks.speed.rows import Comparison, Limit, Row, as_json, from_json, tables
from tests.tiny_models import tiny_llama

IMPORT_TIME = """\
import time: self [us] | cumulative | imported package
import time:       300 |        300 |   pathlib
import time:        40 |         40 | pytest_forgetting
import time:       100 |        100 |     shlex
import time:        50 |        150 |   pytest_forgetting.options
import time:        20 |        170 | pytest_forgetting.plugin
import time:       900 |        900 | json
"""


def comparison() -> Comparison:
    """Two repeats, in which the other side took twice and four times as long."""
    theirs = Measured([2.0, 8.0], [100.0, 300.0], [3.0, 9.0], {"a": "1", "b": "2"})
    ours = Measured([1.0, 2.0], [50.0, 60.0], [1.0, 2.0], {"a": "1", "b": "3"})
    return Comparison.of("generation", "a tool", 4, (theirs, ours), "a note")


def test_sides_take_turns_and_the_first_turn_does_not_count() -> None:
    """A B A B, so that what slows the machine slows both."""
    turns = []

    def side(name: str) -> Side:
        # `append` gives None, which is what is wanted.
        return Side(name, lambda: turns.append(name) or [Run(len(turns), 1, "")])  # type: ignore[func-returns-value]

    first, second = measured([side("A"), side("B")], repeats=2)
    assert turns == ["A", "B"] * 3
    assert (first.seconds, second.seconds) == ([3, 5], [4, 6])


def test_an_answer_that_one_side_lacks_is_no_agreement() -> None:
    """Of three keys in all, one is equal."""
    assert agreement({"a": "1", "b": "2"}, {"a": "1", "c": "3"}) == (1, 3)


def test_a_comparison_is_of_each_repeat() -> None:
    """Ratios of pairs, medians of seconds, peaks of memory."""
    row = comparison()
    assert (row.ratios, row.seconds, row.mib) == ([2.0, 4.0], (5.0, 1.5), (300.0, 60.0))
    assert (row.same, row.answers) == (1, 2)


def test_rows_come_back_from_json() -> None:
    """Tables can be printed again later."""
    rows: list[Row] = [comparison(), Limit("import", "ms", 3, [1.0, 2.0])]
    assert [from_json(json.loads(json.dumps(as_json(row)))) for row in rows] == rows


def test_tables_tell_median_and_spread() -> None:
    """Both kinds of rows, and the notes below."""
    text = tables([comparison(), Limit("import", "ms", 3, [1.0, 2.0])])
    assert "| 3.00 (2.00 … 4.00) |" in text
    assert "1 of 2" in text
    assert "| 1.5 (1 … 2) ms | 3 ms" in text
    assert "- generation: a note" in text


def test_imports_of_the_plugin_are_counted_once() -> None:
    """Its package, and its module with all that this one brings; not what pytest brings."""
    assert sum(outermost(IMPORT_TIME)) == 40 + 170


def test_the_peak_of_a_process_is_its_own(tmp_path: Path) -> None:
    """Memory that is held for a moment is seen."""
    command = [sys.executable, "-c", "bytearray(300_000_000)"]
    assert run(command, tmp_path, environment(tmp_path)).mib > 280


def test_a_command_that_fails_ends_the_benchmark(tmp_path: Path) -> None:
    """With what it printed."""
    command = [sys.executable, "-c", "print('no such thing'); raise SystemExit(5)"]
    with pytest.raises(SystemExit, match=r"(?s)no such thing.*exit 5"):
        run(command, tmp_path, environment(tmp_path))


def test_all_ways_of_asking_give_the_same_answers(tmp_path: Path) -> None:
    """pipeline, generate in batches, and the package, with drafts and without."""
    base, tuned = tiny_llama(tmp_path / "base"), tiny_llama(tmp_path / "tuned", seed=1)
    rows = [{"id": f"c{n}", "prompt": "The capital " * (n + 1), "answer": "Rome"} for n in range(5)]
    prompts, out = tmp_path / "rows.jsonl", tmp_path / "out.json"
    prompts.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    given = (str(base), str(tuned), str(prompts), "6", str(out))
    plain_generate.main(*given)
    plain = json.loads(out.read_text())["answers"]
    for drafts in ("drafts", "no-drafts"):
        package_answers.main(*given, drafts)
        assert json.loads(out.read_text())["answers"] == plain
    pipeline_loop.main(str(tuned), str(prompts), "6", str(out))
    looped = json.loads(out.read_text())
    assert looped == {name: plain[f"model {name}"] for name in looped}
    assert len(looped) == 5
    assert len(plain) == 10


def test_drafts_are_changed_in_the_stated_share() -> None:
    """And only behind a common beginning."""
    answers = [[1, 2, 3]] * 10
    drafts = changed(answers, 0.3, 50)
    assert sum(draft != [1, 2, 3] for draft in drafts.values()) == 3
    assert all(len(draft) == 3 for draft in drafts.values())


def test_all_that_is_timed_exists() -> None:
    """A function that was renamed would be timed no more."""
    for module, functions in WATCHED.items():
        for path in functions:
            assert callable(attrgetter(path)(import_module(f"pytest_forgetting.{module}")))


def test_phases_of_a_run_are_written(tmp_path: Path) -> None:
    """The plugin names pytest's start, and imports by their library."""
    (tmp_path / "test_one.py").write_text("def test_one():\n    import pydantic\n")
    variables = {**os.environ, "PYTHONPATH": str(ROOT), STARTED: "0", FILE: str(tmp_path / "phases.json")}
    command = [sys.executable, "-m", "pytest", "-p", "benchmarks.phases", "test_one.py"]
    subprocess.run(command, cwd=tmp_path, env=variables, check=True, capture_output=True)
    assert {START, REST, "import of pydantic"} <= json.loads((tmp_path / "phases.json").read_text())["seconds"].keys()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["generatoin"], "there is no benchmark generatoin; there are generation, choices"),
        (["import", "--work", "."], "missing: --model --stories --domain"),
    ],
)
def test_a_wrong_call_is_told(arguments: list[str], told: str) -> None:
    """What is unknown, and what is missing."""
    command = [sys.executable, "-m", "benchmarks.speed", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert told in ended.stderr


@pytest.mark.slow
def test_the_benchmark_of_accelerators_runs_anywhere(tmp_path: Path) -> None:
    """On a tiny model on the CPU, where drafts change no answer."""
    out = tmp_path / "out.json"
    command = [sys.executable, "-m", "benchmarks.gpu", "--device", "cpu", "--tiny", "--out", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    rates = json.loads(out.read_text())["rates"]
    assert [row["rows"] for row in rates] == [1, 8, 32]
    assert not any(row["other answers at 50%"] for row in rates)
