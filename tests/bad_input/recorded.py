"""Recordings that are damaged, or of something else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bad_input.table import PAIR, BadInput

COMMAND = (*PAIR, "capitals.yaml")


def edited(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Change the baseline's recording."""

    def edit(here: Path) -> None:
        path = here / "old.json"
        values = json.loads(path.read_text())
        change(values)
        path.write_text(json.dumps(values))

    return edit


def recording(name: str, *told: str, prepare: Callable[[Path], object]) -> BadInput:
    """A baseline that cannot be compared with."""
    return BadInput(name, told, prepare=prepare, command=COMMAND, code=4)


def written(content: str | bytes) -> Callable[[Path], object]:
    """The baseline's recording is this."""
    return lambda here: (here / "old.json").write_bytes(content if isinstance(content, bytes) else content.encode())


def cut(here: Path) -> None:
    """Half of the file is lost."""
    path = here / "old.json"
    path.write_text(path.read_text()[:500])


def answers(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Change the first answer."""
    return edited(lambda values: change(values["answers"][0]))


ROWS = [
    recording("an empty file", "old.json:1:1: cannot be read as a recording: Expecting value", prepare=written("")),
    recording(
        "no JSON",
        ("old.json:1:2: cannot be read as a recording: Expecting property name enclosed in double quotes"),
        prepare=written("{not json"),
    ),
    recording(
        "JSON of another kind",
        ("old.json: is no recording: it has no 'recording: 2', as --forgetting-record writes it"),
        prepare=written("[]"),
    ),
    recording(
        "JSON without a version",
        ("old.json: is no recording: it has no 'recording: 2', as --forgetting-record writes it"),
        prepare=written("{}"),
    ),
    recording(
        "a report in the place of a recording",
        ("old.json: is no recording: it has no 'recording: 2', as --forgetting-record writes it"),
        prepare=written('{"schema_version": 1}'),
    ),
    recording(
        "half a recording", "old.json:28:12: cannot be read as a recording: Expecting ':' delimiter", prepare=cut
    ),
    recording(
        "another version",
        ("old.json: is a recording of version 1; wanted version 2: delete it and record anew, --forgetting-record"),
        prepare=edited(lambda values: values.update(recording=1)),
    ),
    recording(
        "a later version",
        ("old.json: is a recording of version '3'; wanted version 2: delete it and record anew, --forgetting-record"),
        prepare=edited(lambda values: values.update(recording="3")),
    ),
    recording(
        "bytes in a recording",
        (
            "old.json: cannot be read as a recording: 'utf-8' codec can't decode byte 0xff "
            "in position 0: invalid start byte"
        ),
        prepare=written(b"\xff\xfe\x00"),
    ),
    recording(
        "a nest of lists",
        (
            "old.json: cannot be read as a recording: maximum recursion depth exceeded "
            "while decoding a JSON array from a unicode string"
        ),
        prepare=written("[" * 100_000),
    ),
    recording(
        "a key twice in a recording",
        "old.json: is a damaged recording: the key 'recording' stands twice in one object",
        prepare=written('{"recording": 2, "recording": 2}'),
    ),
    recording(
        "an unknown key in a recording",
        ("old.json: is a damaged recording: found the key 'modle'; wanted none but answers, model, recording"),
        prepare=edited(lambda values: values.update(modle={})),
    ),
    recording(
        "no model",
        "old.json: is a damaged recording: found no 'model'; wanted an object",
        prepare=edited(lambda values: values.pop("model")),
    ),
    recording(
        "a model without a fingerprint",
        "old.json: is a damaged recording: found no 'fingerprint'; wanted a text",
        prepare=edited(lambda values: values["model"].pop("fingerprint")),
    ),
    recording(
        "answers that are no list",
        "old.json: is a damaged recording: answers: found {}; wanted a list",
        prepare=edited(lambda values: values.update(answers={})),
    ),
    recording(
        "an answer that is a number",
        ("old.json: is a damaged recording: answer 1 ('France'): answer: found 5; wanted a text"),
        prepare=answers(lambda answer: answer.update(answer=5)),
    ),
    recording(
        "an answer without a suite",
        ("old.json: is a damaged recording: answer 1 ('France'): found no 'suite'; wanted a text"),
        prepare=answers(lambda answer: answer.pop("suite")),
    ),
    recording(
        "an unknown end",
        (
            "old.json: is a damaged recording: answer 1 ('France'): finish: found "
            "'stopped'; wanted one of eos, stop, length, scored, unanswered"
        ),
        prepare=answers(lambda answer: answer.update(finish="stopped")),
    ),
    recording(
        "an answer twice",
        ("old.json: is a damaged recording: an answer to 'France' of suite 'Capitals' stands there twice"),
        prepare=edited(lambda values: values["answers"].append(values["answers"][0])),
    ),
    recording(
        "a case that was not recorded",
        "old.json was not recorded from these cases:",
        "capitals.yaml:9: 'Peru' has no recorded answer",
        ("to record what is asked now: pytest --baseline=old --forgetting-record=old.json capitals.yaml"),
        prepare=edited(lambda values: values["answers"].pop()),
    ),
    recording(
        "another prompt",
        "old.json was not recorded from these cases:",
        (
            "capitals.yaml:5: 'France': prompt 'Question: Else?\\nAnswer:' recorded, "
            "'Question: What is the capital of France?\\nAnswer:' asked"
        ),
        ("to record what is asked now: pytest --baseline=old --forgetting-record=old.json capitals.yaml"),
        prepare=answers(lambda answer: answer.update(prompt="Question: Else?\nAnswer:")),
    ),
    recording(
        "another limit",
        "old.json was not recorded from these cases:",
        "capitals.yaml:5: 'France': max_new_tokens 7 recorded, 50 asked",
        ("to record what is asked now: pytest --baseline=old --forgetting-record=old.json capitals.yaml"),
        prepare=answers(lambda answer: answer.update(max_new_tokens=7)),
    ),
    recording(
        "another stop",
        "old.json was not recorded from these cases:",
        "capitals.yaml:5: 'France': stop ['.'] recorded, ['\\n'] asked",
        ("to record what is asked now: pytest --baseline=old --forgetting-record=old.json capitals.yaml"),
        prepare=answers(lambda answer: answer.update(stop=["."])),
    ),
    recording(
        "a case that is none any more",
        "old.json was not recorded from these cases:",
        "capitals.yaml:5: 'France' has no recorded answer",
        "'Atlantis' of suite 'Capitals' is recorded, and is no case of it",
        prepare=answers(lambda answer: answer.update(id="Atlantis")),
    ),
    BadInput(
        "another template",
        (("old.json was recorded otherwise: chat template 000000000000 recorded, none asked (--chat-template)"),),
        command=(*PAIR, "--chat-template=none", "capitals.yaml"),
        prepare=edited(lambda values: values["model"].update(chat_template="0" * 64, chat_template_kwargs={})),
        code=4,
    ),
    BadInput(
        "a folder named as a recording",
        ("x.json: there is no config.json (nor adapter_config.json) in {here}/x.json",),
        prepare=lambda here: (here / "x.json").mkdir(),
        command=("--model=new.json", "--baseline=x.json", "capitals.yaml"),
        code=4,
    ),
]
