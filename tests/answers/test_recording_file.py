"""Recordings as files: what stands in them, and what is said of those that are damaged."""

import json
import os
import re
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any

import pytest

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.recording import Recorded
from pytest_forgetting.answers.recording_file import SIZE_LIMIT, read, to_text, write
from pytest_forgetting.answers.requests import Draw, Request
from pytest_forgetting.comparison.participants import Participant
from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.models.source import Source

SOURCE = Source(Participant("base", "f" * 64, "float32", "cpu", 7), versions={"torch": "2.9"})
ASKED = Request("What?", (), ("\n",), 50)
ROW = Recorded("S", "a", ASKED, Answer("This.", "eos", gap=0.0004), ("this", -1.23456))
ROWS = [
    ROW,
    Recorded(
        "S", "b", Request(None, (("user", "Who?"),), (), 5, think_tokens=9), Answer("", "unanswered", reason="no")
    ),
    Recorded("S", "c", Request("One?", (), (), 5, Draw(0.5, 1)), Answer("\ud800 and “ü” \u202e", "length")),
    Recorded(
        "S", "d", Request("It is", (), continuations=(" so", " not")), Answer("", "scored", None, None, (-1.0, -2.5))
    ),
]


def test_a_block_has_a_line_for_each_key(tmp_path: Path) -> None:
    """Keys are sorted; numbers are short; the file ends in a newline."""
    write(tmp_path / "r.json", SOURCE, [ROW])
    text = (tmp_path / "r.json").read_text()
    assert text.endswith(
        """\
 "answers": [
  {
   "answer": "This.",
   "finish": "eos",
   "id": "a",
   "max_new_tokens": 50,
   "near_tie": true,
   "prompt": "What?",
   "right": {"nats": -1.2346, "text": "this"},
   "stop": ["\\n"],
   "suite": "S"
  }
 ]
}
"""
    )


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """Chats, budgets, samples, scores, reasons, and a lone surrogate."""
    write(tmp_path / "r.json", SOURCE, ROWS)
    recording = read(str(tmp_path / "r.json"))
    rows = list(recording)
    assert recording.source == SOURCE
    assert [(row.suite, row.id, row.request, row.answer) for row in rows] == [
        (row.suite, row.id, row.request, row.answer) for row in ROWS
    ]
    assert (rows[0].answer.gap, rows[1].answer.gap) == (0.0, None)
    assert rows[0].right == ("this", -1.2346)
    assert to_text(recording.source, rows) == (tmp_path / "r.json").read_text()


def test_other_scripts_are_legible_and_what_is_hidden_is_escaped() -> None:
    """A reviewer reads letters as they are, and sees what would turn them round."""
    text = to_text(SOURCE, ROWS)
    assert '"answer": "\\ud800 and “ü” \\u202e"' in text
    assert text.encode().decode() == text


def test_what_is_impossible_has_no_number(tmp_path: Path) -> None:
    """JSON knows no infinity."""
    write(tmp_path / "r.json", SOURCE, [Recorded("S", "a", ASKED, Answer("", "eos"), ("this", -inf))])
    assert '"right": {"nats": null, "text": "this"}' in (tmp_path / "r.json").read_text()
    assert next(iter(read(str(tmp_path / "r.json")))).right == ("this", -inf)


@pytest.mark.parametrize("ref", ["/home/anna/models/base", "../models/base", "~/base"])
def test_a_folders_place_is_not_written(ref: str) -> None:
    """The same model at another place, on another of the devices, gives the same file."""
    text = to_text(Source(Participant(ref, "f", device="cuda:1")), [])
    model = json.loads(text)["model"]
    assert (model["ref"], model["device"]) == ("base", "cuda")


def test_an_equal_file_is_left_alone(tmp_path: Path) -> None:
    """Not even its time changes."""
    path = tmp_path / "r.json"
    assert write(path, SOURCE, ROWS)
    os.utime(path, (1, 1))
    assert not write(path, SOURCE, ROWS)
    assert path.stat().st_mtime == 1


Damage = Callable[[dict[str, Any]], object]


def edit(number: int, **values: Any) -> Damage:
    """Put other values into one of the answers."""
    return lambda file: file["answers"][number].update(values)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda file: file.pop("model"), "found no 'model'; wanted an object"),
        (lambda file: file["model"].pop("ref"), "found no 'ref'; wanted a text"),
        (lambda file: file["model"].update(parameters="7"), "parameters: found '7'; wanted a whole number or null"),
        (lambda file: file["model"].update(colour=1), "found the key 'colour'; wanted none but base, chat_template, "),
        (lambda file: file.update(answers={}), "answers: found {}; wanted a list"),
        (lambda file: file.update(more=1), "found the key 'more'; wanted none but answers, model, recording"),
        (lambda file: file["answers"].append(3), "answer 5: an answer: found 3; wanted an object"),
        (lambda file: file["answers"][0].pop("id"), "answer 1: found no 'id'; wanted a text"),
        (edit(0, answer=None), "answer 1 ('a'): answer: found None; wanted a text"),
        (edit(0, finish="ends"), "answer 1 ('a'): finish: found 'ends'; wanted one of eos, "),
        (edit(0, max_new_tokens=True), "max_new_tokens: found True; wanted a whole number"),
        (edit(0, stop="x"), "stop: found 'x'; wanted a list"),
        (edit(0, stop=[1]), "stop: found [1]; wanted texts"),
        (edit(0, anser="x"), "answer 1 ('a'): found the key 'anser'; wanted none but answer"),
        (edit(0, right={"text": "x"}), "found no 'nats'; wanted a number or a whole number"),
        (edit(1, prompt=[["user"]]), "prompt: found the turn ['user']; wanted [role, content]"),
        (edit(2, draw={"number": 1}), "found no 'temperature'; wanted a number or a whole"),
        (edit(3, loglikelihoods=[1]), "loglikelihoods: found [1]; wanted 2 numbers"),
        (lambda file: file["answers"].append(file["answers"][0]), "an answer to 'a' of suite 'S' stands there twice"),
    ],
)  # fmt: skip
def test_damage_is_named_with_its_place(tmp_path: Path, damage: Damage, told: str) -> None:
    """Which answer, which key, what was found and what was wanted."""
    file = json.loads(to_text(SOURCE, ROWS))
    damage(file)
    path = tmp_path / "r.json"
    path.write_text(json.dumps(file))
    with pytest.raises(WrongUsage) as caught:
        read(str(path))
    assert str(caught.value).startswith(f"{path}: is a damaged recording: ")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "cannot be read as a recording: Expecting value"),
        (b"\xff\xfe", "cannot be read as a recording: 'utf-8' codec"),
        (to_text(SOURCE, ROWS)[:-40].encode(), "cannot be read as a recording: Unterminated string "),
        (b"[" * 100_000, "cannot be read as a recording: maximum recursion depth"),
        (b"<<<<<<< HEAD\n", "cannot be read as a recording: Expecting value"),
        (b"[1]", "is no recording: it has no 'recording: 2', as --forgetting-record writes it"),
        (b'{"name": "package"}', "is no recording: it has no 'recording: 2', as --forgetting-record writes it"),
        (b'{"recording": 1}', "is a recording of version 1; wanted version 2: delete it and record anew"),
        (b'{"recording": 2, "recording": 2}', "is a damaged recording: the key 'recording' stands twice in one object"),
    ],
)
def test_what_is_no_recording_is_told_in_one_line(tmp_path: Path, content: bytes, told: str) -> None:
    """Not JSON, cut short, not text, nested without end, something else, or of another version."""
    path = tmp_path / "r.json"
    path.write_bytes(content)
    with pytest.raises(WrongUsage) as caught:
        read(str(path))
    assert re.match(rf"{re.escape(str(path))}(:\d+:\d+)?: {re.escape(told)}", str(caught.value))
    assert "\n" not in str(caught.value)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    """Its size is looked at first."""
    path = tmp_path / "r.json"
    path.touch()
    os.truncate(path, SIZE_LIMIT + 1)  # of nothing: it takes up no room on the disk
    with pytest.raises(
        WrongUsage, match="cannot be read as a recording: it has 536,870,913 bytes, and at most 536,870,912"
    ):
        read(str(path))
