"""A recording is read rightly or refused in one message, whatever stands in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_forgetting import compare
from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.recording import Recorded
from pytest_forgetting.answers.recording_file import read, write
from pytest_forgetting.answers.requests import Draw, Request
from pytest_forgetting.comparison.participants import Participant
from pytest_forgetting.errors import ForgettingError, WrongUsage
from pytest_forgetting.models.source import Source
from tests.fuzzing.hostile_texts import LONG, SAID, TEXTS
from tests.fuzzing.tiers import outcome, tiers, trying
from tests.recordings import CAPITALS, record, write_capitals
from tests.reports import fitting

HUGE = 10**400
ROWS: list[dict[str, Any]] = [
    {"suite": "S", "id": "a", "prompt": "Q?", "finish": "eos", "answer": "A", "stop": ["\n"], "max_new_tokens": 5}
    | {"near_tie": True, "right": {"text": "A", "nats": -1.5}},
    {"suite": "S", "id": "b", "prompt": [["user", "Q"]], "finish": "length", "answer": "", "stop": []}
    | {"max_new_tokens": 5, "think_tokens": 9, "draw": {"temperature": 0.5, "number": 0}},
    {"suite": "S", "id": "c", "prompt": "Q", "finish": "scored", "continuations": ["a", "b"]}
    | {"loglikelihoods": [-1.0, -2]},
    {"suite": "S", "id": "d", "prompt": "Q", "finish": "unanswered", "reason": "no", "answer": "", "stop": []}
    | {"max_new_tokens": 5},
]
MODEL = {"ref": "r", "fingerprint": "f", "dtype": "float32", "device": "cpu", "parameters": 7, "base": None}
MODEL |= {"chat_template": None, "chat_template_kwargs": {}, "quantization": "none", "versions": {"torch": "2"}}
VALID = {"recording": 2, "model": MODEL, "answers": ROWS}
VALUES = st.one_of(
    st.sampled_from([None, True, HUGE, -HUGE, float("nan"), float("inf"), "", [], {}, [[]], "\x1b[31m\n::error::x"]),
    st.recursive(
        st.integers() | st.floats() | TEXTS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=2),
        max_leaves=4,
    ),
)


def change(draw: st.DrawFn, data: Any) -> Any:
    """`data` with something in it left out, doubled or replaced."""
    place = data
    while isinstance(place, dict | list) and place:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key: Any = draw(st.sampled_from(keys))
        if not place[key] or not isinstance(place[key], dict | list) or draw(st.integers(0, 3)) == 0:
            break
        place = place[key]
    else:
        return deepcopy(draw(VALUES))
    what = draw(st.sampled_from(["replace", "replace", "delete", "add"]))
    if what == "delete":
        del place[key]
    elif what == "replace":
        place[key] = deepcopy(draw(VALUES))
    elif isinstance(place, list):
        place.append(deepcopy(place[key]))
    else:
        place[draw(TEXTS)] = deepcopy(draw(VALUES))
    return data


@st.composite
def recordings(draw: st.DrawFn, valid: Any = VALID) -> bytes:
    """A valid recording in which one to three things were changed, or its text was, or any bytes."""
    data = deepcopy(valid)
    for _ in range(draw(st.integers(1, 3))):
        data = change(draw, data)
    text = json.dumps(data).encode()
    if draw(st.integers(0, 5)):
        return text
    here, odd = draw(st.integers(0, len(text))), draw(st.binary(max_size=4))
    return draw(st.sampled_from([text[:here], text[:here] + odd + text[here:], odd, b"[" * 100_000, b"1" * 5000]))


@st.composite
def sayings(draw: st.DrawFn, valid: Any) -> bytes:
    """A valid recording of a model that says anything, and is called anything."""
    data = deepcopy(valid)
    data["model"]["ref"] = draw(TEXTS)
    for row in data["answers"]:
        row["answer"] = draw(st.just(row["answer"]) | TEXTS)
        row["finish"] = draw(st.sampled_from(["eos", "stop", "length"]))
    return json.dumps(data).encode()


@tiers(150)
def test_a_recording_is_read_or_refused(tmp_path: Path, examples: int) -> None:
    """In one line; and what is read is written as it was."""
    path = tmp_path / "r.json"

    @trying(examples)
    @given(data=recordings())
    @example(json.dumps(VALID).encode())
    @example(json.dumps({**VALID, "answers": [{**ROWS[0], "right": {"text": "", "nats": -HUGE}}]}).encode())
    @example(json.dumps({**VALID, "answers": [{**ROWS[2], "loglikelihoods": [HUGE, 1]}]}).encode())
    @example(json.dumps({**VALID, "answers": [{**ROWS[1], "draw": {"temperature": HUGE, "number": 1}}]}).encode())
    @example(json.dumps({**VALID, "\x1b\n": 1}).encode())
    @example(json.dumps({**VALID, "answers": [{**ROWS[3], "reason": ""}]}).encode())
    def holds(data: bytes) -> None:
        path.write_bytes(data)
        found, told = outcome(lambda: read(str(path)), WrongUsage)
        if found is None:
            assert told.startswith(str(path))
            assert told.isprintable(), told
            assert len(told) < 1500
            return
        write(tmp_path / "again.json", found.source, found)
        again = read(str(tmp_path / "again.json"))
        assert list(again) == [*found]

    holds()


ASKED = st.builds(
    Request,
    SAID.filter(bool),
    st.just(()),
    st.lists(SAID, max_size=2).map(tuple),
    st.integers(1, 99),
    st.none() | st.builds(Draw, st.floats(0, 10), st.integers(0, 9)),
)


@tiers(10)
def test_every_answer_is_read_as_it_was_written(tmp_path: Path, examples: int) -> None:
    """Whatever prompts, ids, references and answers hold: lone surrogates, NUL, a megabyte."""
    path = tmp_path / "r.json"

    @trying(examples)
    @given(
        asked=ASKED,
        said=SAID | LONG,
        names=st.tuples(SAID, SAID, SAID),
        right=st.none() | st.tuples(TEXTS, st.floats(-1e6, 0)),
    )
    def holds(asked: Request, said: str, names: tuple[str, str, str], right: tuple[str, float] | None) -> None:
        suite, name, ref = names
        row = Recorded(suite, name, asked, Answer(said, "eos"), right)
        write(path, Source(Participant(ref, ref, "float32", "cpu", 7)), [row])
        [found] = read(str(path))
        assert (found.suite, found.id, found.request, found.answer) == (suite, name, asked, Answer(said, "eos"))

    holds()


@pytest.mark.parametrize("ref", ["~nobody/x", "/a\0b", "/" + "a" * 5000, "../\ud800", "\x1b[31m"])
def test_any_reference_can_be_recorded(tmp_path: Path, ref: str) -> None:
    """Of a folder only the name is written, also where no system could resolve it."""
    write(tmp_path / "r.json", Source(Participant(ref, "f")), [])
    assert read(str(tmp_path / "r.json")).source.participant.fingerprint == "f"


@pytest.fixture
def capitals(tmp_path: Path) -> Callable[[bytes], bool]:
    """Compare a changed recording of a model with a whole one of its baseline, and look at all that is told of it."""
    suite = write_capitals(tmp_path)
    old = record(tmp_path / "old.json", suite, CAPITALS)

    def run(data: bytes) -> bool:
        (tmp_path / "new.json").write_bytes(data)
        new = str(tmp_path / "new.json")
        result, told = outcome(lambda: compare(model=new, baseline=old, suites=suite, no_store=True), ForgettingError)
        if result is None:
            assert told.strip()
            return False
        assert all(line.isprintable() for line in str(result).split("\n"))
        for name in ("r.json", "r.html", "r.md"):
            result.write(tmp_path / name)
        fitting((tmp_path / "r.json").read_text())
        return True

    return run


@tiers(10, 2000)
def test_a_comparison_with_any_recording_ends_in_words(
    tmp_path: Path, capitals: Callable[[bytes], bool], examples: int
) -> None:
    """It is compared and reported, or refused."""
    suite = tmp_path / "capitals.yaml"
    valid = json.loads(Path(record(tmp_path / "valid.json", suite, {**CAPITALS, "Peru": "Cusco"})).read_text())

    compared = 0

    @trying(examples)
    @given(data=recordings(valid) | sayings(valid))
    @example(json.dumps(valid).encode())
    def holds(data: bytes) -> None:
        nonlocal compared
        compared += capitals(data)

    holds()
    assert compared > examples // 4  # most that were damaged are refused


@pytest.mark.parametrize("change", ["key", "ref", "id"])
def test_nothing_in_a_recording_commands_a_terminal(pytester: pytest.Pytester, change: str) -> None:
    """Keys, references and ids that a message quotes."""
    odd = "\x1b]0;title\x07\n::error file=x::y"
    suite = write_capitals(pytester.path)
    for name in ("old", "new"):
        record(pytester.path / f"{name}.json", suite, CAPITALS)
    data = json.loads((pytester.path / "new.json").read_text())
    if change == "key":
        data["model"][odd] = 1
    elif change == "ref":
        data["model"]["ref"] = odd
        data["answers"][0]["prompt"] = "another"
    else:
        data["answers"][0]["id"] = odd
    (pytester.path / "new.json").write_text(json.dumps(data))
    result = pytester.runpytest_inprocess("--model=new.json", "--baseline=old.json", "capitals.yaml")
    text = result.stdout.str() + result.stderr.str()
    assert result.ret == 4
    assert "\x1b" not in text
    assert not [line for line in text.splitlines() if line.startswith("::")]
