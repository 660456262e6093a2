"""Cases that stand in training data."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.testing import lint

LONG = "In the small town by the river there stood an old mill whose wheel had not turned since the flood"
CAPITAL = {"question": "What is the capital of France?", "answer": "Paris"}


def leaks(case: dict[str, Any], *rows: Any) -> list[str]:
    """What is said of one case and some rows."""
    return [each.detail for each in lint([case], rows) if each.kind == "leak"]


def test_a_short_prompt_is_looked_for_whole() -> None:
    """Case, punctuation and the form of the row make no difference; whether the answer stands there is told."""
    row = {"messages": [{"role": "user", "content": "So, WHAT IS the capital of\nFrance?"}, {"content": "Paris."}]}
    assert leaks(CAPITAL, {"text": "other"}, row) == [
        "the whole prompt stands in row 2 with an accepted answer: what is the capital of france"
    ]
    assert leaks(CAPITAL, {"text": "What is the capital of France, Italy and Spain?"}) == [
        "the whole prompt stands in row 1: what is the capital of france"
    ]
    assert leaks(CAPITAL, {"text": "What is the capital of Francesca?"}) == []


def test_a_long_prompt_leaks_by_thirteen_words_in_a_row() -> None:
    """Twelve are none."""
    words = LONG.lower().split()
    case = {"question": LONG, "answer": "the mill"}
    assert leaks(case, {"text": " ".join(words[2:14])}) == []
    assert leaks(case, {"text": " ".join(["x", *words[2:15], "y"])}) == [
        f"13 words in a row stand in row 1: {' '.join(words[2:15])}"
    ]


def test_rows_are_counted_and_the_one_with_the_answer_is_shown() -> None:
    """A reader wants the worst."""
    said = leaks(CAPITAL, {"text": CAPITAL["question"]}, CAPITAL, {"text": f"{CAPITAL['question']} Again."})
    assert said == [
        "the whole prompt stands in row 2 with an accepted answer, and in 2 more rows: what is the capital of france"
    ]


def test_prompts_of_two_words_are_not_looked_for() -> None:
    """They stand everywhere."""
    assert leaks({"prompt": "Hello there", "answer": "hi"}, {"text": "Hello there"}) == []


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("t.jsonl", '\n{"a": {"b": ["What is the capital of France?"]}}\n', "t.jsonl:2"),
        ("t.csv", "q,a\nWhat is the capital of France?,Rome\n", "t.csv:2"),
        ("t.txt", "one\nWhat is the capital of France?\n", "t.txt:2"),
    ],
)
def test_files_of_training_data(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, name: str, content: str, place: str
) -> None:
    """Each finding names the line; a folder stands for the files in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / name).write_text(content)
    for given in (f"data/{name}", "data"):
        (found,) = lint([CAPITAL], given)
        assert found.detail.startswith(f"the whole prompt stands in data/{place}: ")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("t.bin", b"", "training data t.bin: wanted a file of the kinds .jsonl, .csv, .parquet, .txt, .md"),
        ("t.jsonl", b"{", "t.jsonl:1:2: is no JSON: "),
        ("t.txt", b"one\ncaf\xe9", "t.txt:2: byte 3 of the line is not UTF-8"),
        ("t.txt", b"", "training data t.txt: holds no rows; wanted some"),
        ("t.jsonl", b"\n\n", "training data t.jsonl: holds no rows; wanted some"),
        ("other", b"", "training data t.jsonl: there is no such file or folder"),
    ],
)
def test_training_data_that_cannot_be_read(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, told: str
) -> None:
    """It is an error, not data without leaks."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WrongUsage) as raised:
        lint([CAPITAL], "t.jsonl" if name == "other" else name)
    assert str(raised.value).startswith(told)


@pytest.mark.parametrize("given", [5, None, [5], [None], "", [" "]])
def test_training_data_that_is_none(given: Any) -> None:
    """An empty name is not the current folder."""
    with pytest.raises(WrongUsage, match=r"^training data(: found .*wanted a file, a folder, | is empty; wanted)"):
        lint([CAPITAL], given)
