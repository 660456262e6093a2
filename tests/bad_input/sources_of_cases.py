"""Files of cases beside a suite."""

from __future__ import annotations

import os
from pathlib import Path

from tests.bad_input.table import BadInput, suite

SOURCE = {"s.yaml": "forgetting: qa\nsource: x.jsonl\n"}


def link_out(folder: Path) -> None:
    """A link to a file that is not the suite's."""
    (folder / "x.jsonl").symlink_to(Path(__file__).resolve())


def link_to_itself(folder: Path) -> None:
    """A link that leads nowhere."""
    (folder / "x.jsonl").symlink_to("x.jsonl")


def swell(folder: Path) -> None:
    """More than a suite may hold, as a hole that takes no room."""
    os.truncate(folder / "s.yaml", (64 << 20) + 1)


ROWS = [
    suite(
        "a source above the folder",
        "forgetting: qa\nsource: ../x.jsonl\n",
        "s.yaml:2:9: source '../x.jsonl' lies outside the suite's folder",
    ),
    suite(
        "a source elsewhere",
        "forgetting: qa\nsource: /etc/passwd\n",
        "s.yaml:2:9: source '/etc/passwd' lies outside the suite's folder",
    ),
    suite(
        "a missing source",
        "forgetting: qa\nsource: mre.jsonl\n",
        "s.yaml:2:9: source 'mre.jsonl' does not exist; did you mean 'more.jsonl'?",
        files={"more.jsonl": '{"question": "a", "answer": "b"}\n'},
    ),
    suite(
        "two missing sources",
        "forgetting: qa\nsource: [a.jsonl, b.csv]\n",
        "s.yaml:2:10: source 'a.jsonl' does not exist",
        "s.yaml:2:19: source 'b.csv' does not exist",
    ),
    suite(
        "a source of another kind",
        "forgetting: qa\nsource: x.txt\n",
        "s.yaml:2:9: source 'x.txt': found no file of a kind that is read; wanted .jsonl, .csv, .parquet",
    ),
    suite(
        "a source that is a number",
        "forgetting: qa\nsource: 5\n",
        "s.yaml:2:9: source: found 5; wanted a file, or {path: …, fields: {…}}, or {dataset: …, split: …, fields: {…}}",
    ),
    suite(
        "a source that is empty text",
        "forgetting: qa\nsource: ''\n",
        "s.yaml:2:9: source: found ''; wanted a file, or {path: …",
    ),
    suite(
        "a list of no sources",
        "forgetting: qa\nsource: []\n",
        "s.yaml:1:1: the suite is empty; wanted cases, or a source with some",
    ),
    suite(
        "a source with a name too long",
        "forgetting: qa\nsource: " + "x" * 400 + ".jsonl\n",
        (
            "s.yaml:2:9: source "
            "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' cannot be "
            "read: File name too long"
        ),
    ),
    suite(
        "an unknown key of a source",
        "forgetting: qa\nsource: {path: x.jsonl, feilds: {}}\n",
        "s.yaml:2:25: unknown key 'feilds'; did you mean 'fields'?",
        files={"x.jsonl": '{"question": "a", "answer": "b"}\n'},
    ),
    suite(
        "a file and a data set",
        "forgetting: qa\nsource: {path: x.csv, dataset: org/name}\n",
        "s.yaml:2:9: source: found both path and dataset; wanted one of them",
    ),
    suite(
        "an unknown key in fields",
        "forgetting: qa\nsource: {path: x.jsonl, fields: {qestion: question}}\n",
        "s.yaml:2:34: unknown key 'qestion'; did you mean 'question'?",
        files={"x.jsonl": '{"question": "a", "answer": "b"}\n'},
    ),
    suite(
        "a missing field",
        "forgetting: qa\nsource: {path: x.jsonl, fields: {question: query}}\n",
        "x.jsonl:1: no field 'query', which 'fields' names for 'question'; fields: question, answer",
        files={"x.jsonl": '{"question": "a", "answer": "b"}\n'},
    ),
    suite(
        "a broken row",
        "forgetting: qa\nsource: x.jsonl\n",
        "x.jsonl:2:17: is no JSON: Expecting ',' delimiter",
        files={"x.jsonl": '{"question": "a", "answer": "b"}\n{"question": "c"\n'},
    ),
    suite(
        "a row that is no object",
        "forgetting: qa\nsource: x.jsonl\n",
        "x.jsonl:3: wanted a JSON object with question and answer",
        files={"x.jsonl": '{"question": "a", "answer": "b"}\n\n[1]\n'},
    ),
    suite(
        "a row without an answer",
        "forgetting: qa\nsource: x.jsonl\n",
        "x.jsonl:2: no answer; wanted 'answer' or 'correct_answer'",
        files={"x.jsonl": '{"question": "a", "answer": "b"}\n{"question": "c"}\n'},
    ),
    suite(
        "a row with NaN",
        "forgetting: qa\nsource: x.jsonl\n",
        "x.jsonl:1: is no JSON: found NaN; wanted a finite number, or a text in quotes",
        files={"x.jsonl": '{"question": "a", "answer": NaN}\n'},
    ),
    suite(
        "a row with infinity",
        "forgetting: qa\nsource: x.jsonl\n",
        "x.jsonl:1: answer: wanted a text or a finite number (found inf)",
        files={"x.jsonl": '{"question": "a", "answer": 1e999}\n'},
    ),
    suite(
        "a row with a lone surrogate",
        "forgetting: qa\nsource: x.jsonl\n",
        "x.jsonl:1: question: wanted a text that UTF-8 can bear (found 'a\\ud800')",
        files={"x.jsonl": '{"question": "a\\ud800", "answer": "b"}\n'},
    ),
    suite(
        "a row in another encoding",
        "forgetting: qa\nsource: x.jsonl\n",
        "x.jsonl:2: byte 14 of the line is not UTF-8",
        files={"x.jsonl": b'{"question": "a", "answer": "b"}\n{"question": "\xe9", "answer": "b"}\n'},
    ),
    suite(
        "a row with a key twice",
        "forgetting: qa\nsource: x.jsonl\n",
        "x.jsonl:1: is no JSON: key 'answer' given twice",
        files={"x.jsonl": '{"question": "a", "answer": "b", "answer": "c"}\n'},
    ),
    suite(
        "an empty source",
        "forgetting: qa\nsource: x.jsonl\n",
        "x.jsonl:1: holds no cases; wanted some",
        files={"x.jsonl": ""},
    ),
    suite(
        "a row of another kind",
        "forgetting: qa\nsource: x.jsonl\n",
        "x.jsonl:1: 'checks' has no meaning in a qa suite",
        files={"x.jsonl": '{"question": "a", "answer": "b", "checks": ["finished"]}\n'},
    ),
    suite(
        "an id in the suite and its source",
        "forgetting: qa\ncases:\n  - {id: x, question: a, answer: b}\nsource: x.jsonl\n",
        "x.jsonl:1: id 'x' given twice (first at s.yaml:3)",
        files={"x.jsonl": '{"id": "x", "question": "c", "answer": "d"}\n'},
    ),
    suite(
        "a table without an answer",
        "forgetting: qa\nsource: x.csv\n",
        "x.csv:3: no answer; wanted 'answer' or 'correct_answer'",
        files={"x.csv": "question,answer\na,b\nc,\n"},
    ),
    suite(
        "a table without columns that mean anything",
        "forgetting: qa\nsource: x.csv\n",
        "x.csv:2: no answer; wanted 'answer' or 'correct_answer'",
        files={"x.csv": "frage,antwort\na,b\n"},
    ),
    suite(
        "a table in another encoding",
        "forgetting: qa\nsource: x.csv\n",
        "x.csv:3: is not UTF-8",
        files={"x.csv": b"question,answer\na,b\n\xe9,c\n"},
    ),
    suite(
        "a table with a quote that does not end",
        "forgetting: qa\nsource: x.csv\n",
        "x.csv:1: cannot be read as CSV: unexpected end of data",
        files={"x.csv": 'question,answer\na,"b\n'},
    ),
    suite(
        "a table with more cells than columns",
        "forgetting: qa\nsource: x.csv\n",
        "x.csv:2: found 3 cells; wanted 2",
        files={"x.csv": "question,answer\na,b,c\n"},
    ),
    suite(
        "a table with a column twice",
        "forgetting: qa\nsource: x.csv\n",
        "x.csv:1: column 'answer' given twice",
        files={"x.csv": "question,answer,answer\na,b,c\n"},
    ),
    suite(
        "an empty table", "forgetting: qa\nsource: x.csv\n", "x.csv:1: holds no cases; wanted some", files={"x.csv": ""}
    ),
    suite(
        "a table with a NUL",
        "forgetting: qa\nsource: x.csv\n",
        "x.csv:2: question: wanted a text without control characters (found 'a\\x00')",
        files={"x.csv": b"question,answer\na\x00,b\n"},
    ),
    BadInput(
        "a link out of the folder",
        ("s.yaml:2:9: source 'x.jsonl' lies outside the suite's folder",),
        SOURCE,
        prepare=link_out,
    ),
    BadInput(
        "a link to itself",
        ("s.yaml:2:9: source 'x.jsonl' cannot be read: …",),
        SOURCE,
        prepare=link_to_itself,
    ),
    BadInput(
        "a folder as a source",
        ("s.yaml:2:9: source 'x.jsonl' is a folder; wanted a file (.jsonl, .csv, .parquet)",),
        SOURCE,
        prepare=lambda folder: (folder / "x.jsonl").mkdir(),
    ),
    BadInput(
        "a suite too large",
        ("s.yaml:1:1: larger than 64 MiB; put the cases into a source file",),
        SOURCE,
        prepare=swell,
    ),
]
