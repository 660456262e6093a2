"""Training data in its usual forms."""

import json
from pathlib import Path
from typing import Any

import datasets
import pandas
import pytest

from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.training.examples import Example, digest, read_examples

FORMS: list[tuple[Any, Example]] = [
    ("red", Example(text="red")),
    ({"text": "red"}, Example(text="red")),
    ({"prompt": "red?", "completion": " blue"}, Example("red?", " blue")),
    ({"prompt": "red?", "answer": " blue", "source": "x"}, Example("red?", " blue", source="x")),
    ({"question": "red?", "answer": "blue"}, Example("Question: red?\nAnswer:", " blue\n")),
    ({"instruction": "Mix.", "input": "red", "output": "blue"}, Example("Mix.\nred\n", "blue")),
    ({"instruction": "Mix.", "input": "", "output": "blue"}, Example("Mix.\n", "blue")),
    (
        {"messages": [{"role": "user", "content": "red?"}, {"role": "assistant", "content": "blue"}]},
        Example(messages=(("user", "red?"), ("assistant", "blue"))),
    ),
]


@pytest.mark.parametrize(("row", "example"), FORMS)
def test_each_form_is_read(row: Any, example: Example) -> None:
    """As a list, and the mappings as a dataset and as lines of a file too."""
    assert read_examples([row]) == [example]


def test_a_dataset_is_read() -> None:
    """Of the datasets library, whatever other columns it has."""
    rows = datasets.Dataset.from_list([{"prompt": "a", "completion": "b", "source": "domain"}] * 2)
    assert read_examples(rows) == [Example("a", "b")] * 2


def test_lines_of_a_file_are_read(tmp_path: Path) -> None:
    """JSON texts and mappings, empty lines left out."""
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join([json.dumps(row) for row, _ in FORMS]) + "\n\n")
    assert read_examples(path) == read_examples(str(path)) == [example for _, example in FORMS]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "data.jsonl:2: is no JSON: "),
        ("7", "data.jsonl:2: found 7; wanted a text, "),
        ('{"a": 1}', "data.jsonl:2: found the keys a; wanted a text, "),
        ('{"prompt": "a", "completion": ""}', "data.jsonl:2: found .*; wanted texts, and something to learn in them"),
        ('{"text": 7}', "data.jsonl:2: found .*; wanted texts, and something to learn in them"),
        ('{"question": "a", "answer": null}', "data.jsonl:2: found .*; wanted texts, and something to learn in them"),
        ('{"question": "a", "answer": ["b"]}', "data.jsonl:2: found .*; wanted texts, and something to learn in them"),
        ('{"instruction": "a", "input": "b"}', "data.jsonl:2: found .*; wanted texts, and something to learn in them"),
        ('{"messages": "hi"}', r"data.jsonl:2: messages: found 'hi'; wanted \["),
        ('{"messages": [{"role": "assistant", "content": null}]}', r"messages: found \[.*content: a text"),
        (
            '{"messages": [{"role": "assistant", "content": [{"type": "text"}]}]}',
            r"messages: found \[.*content: a text",
        ),
        ('{"messages": [{"role": "user", "content": "a"}]}', "data.jsonl:2: messages: no turn of the assistant; "),
    ],
)
def test_what_cannot_be_learned_from_is_told_with_its_line(tmp_path: Path, line: str, told: str) -> None:
    """File and line, what was found and what was wanted."""
    path = tmp_path / "data.jsonl"
    path.write_text(f'"fine"\n{line}\n')
    with pytest.raises(WrongUsage, match=told):
        read_examples(path)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ([], "row : no training data"),
        ("no.jsonl", "no.jsonl: wanted a .jsonl"),
        ({"text": ["a", "b"]}, r"training data: found dict of text; wanted a datasets.Dataset \(one split\)"),
        (datasets.DatasetDict(train=datasets.Dataset.from_list([{"text": "a"}])), "found DatasetDict of train; wanted"),
        (pandas.DataFrame({"text": ["a"]}), "training data: found DataFrame; wanted"),
        (7, "training data: found int; wanted"),
    ],
)
def test_no_data_is_told(data: Any, told: str) -> None:
    """Neither an empty list nor a missing file trains anything."""
    with pytest.raises(WrongUsage, match=told):
        read_examples(data)


def test_the_digest_tells_data_apart() -> None:
    """Order and every part count, and the seam between prompt and answer does."""
    sets = [[Example("a", "b")], [Example("ab", "")], [Example("", "ab")], [Example("a", "b"), Example("a", "b")]]
    assert len({digest(each) for each in sets}) == 4
    assert digest(sets[0]) == digest([Example("a", "b")])
