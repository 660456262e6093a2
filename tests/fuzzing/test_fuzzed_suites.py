"""Whatever a suite file holds, it is loaded, or refused in lines that each name a place within it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, target
from hypothesis import strategies as st

from pytest_forgetting.errors import SuiteError
from pytest_forgetting.suites.cases import Suite
from pytest_forgetting.suites.detection import is_misspelt_suite, is_suite
from pytest_forgetting.suites.loading import load_suite
from tests.fuzzing.documents import SCALARS, mutations, valid
from tests.fuzzing.schema_values import schema_suites
from tests.fuzzing.tiers import outcome, tiers, trying

BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
PLACE = re.compile(r"(s\.yaml|[^:]*more\.jsonl|[^:]*more\.csv):(\d+)(?::(\d+))?: .")
HEAD = b"forgetting: qa\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where suites lie, with the sources that some of them name."""
    (tmp_path / "more.jsonl").write_text('{"q": "a?", "a": "b", "question": "c?", "answer": "d"}\n')
    (tmp_path / "more.csv").write_text("question,answer\na?,b\n")
    return tmp_path


def load(folder: Path, data: bytes) -> Suite | None:
    """Load `data` as a suite; None where it was refused as it should be."""
    path = folder / "s.yaml"
    path.write_bytes(data)
    is_suite(path)
    is_misspelt_suite(path)
    found, told = outcome(lambda: load_suite(path, shown_as="s.yaml", known_checks=("polite",)), SuiteError)
    if found is None:
        text = data.decode("utf-8-sig", "replace")
        for line in told.split("\n"):
            see_finding(line, text)
    return found


def see_finding(line: str, text: str) -> None:
    """A finding is one printable line of bounded length, and its place lies within the file."""
    place = PLACE.match(line)
    assert place is not None, line
    assert line.isprintable(), line
    assert len(line) <= 1000
    if place[1] == "s.yaml":
        lines = BREAK.split(text)
        assert 1 <= int(place[2]) <= len(lines), line
        assert 1 <= int(place[3]) <= len(lines[int(place[2]) - 1]) + 1, line


@tiers(100)
def test_any_bytes_are_loaded_or_refused(folder: Path, examples: int) -> None:
    """Whether or not they are text."""

    @trying(examples)
    @given(data=st.binary(max_size=60), head=st.sampled_from([b"", HEAD, HEAD + b"cases:\n  - "]))
    @example(data=b"\xff", head=HEAD)
    @example(data=b"name: \x00", head=HEAD)
    @example(data=b"\xef\xbb\xbf", head=b"")
    def holds(data: bytes, head: bytes) -> None:
        load(folder, head + data)

    holds()


@tiers(120)
def test_any_text_is_loaded_or_refused(folder: Path, examples: int) -> None:
    """Of letters, and of the signs that mean something in YAML."""
    signs = st.text(st.sampled_from("-:?,[]{}#&*!|>'\"%@`\\~=<. \n\r\t\x85\u2028\ufeffaé1"), max_size=60)

    @trying(examples)
    @given(
        text=st.text(max_size=60) | signs, head=st.sampled_from(["", "forgetting: qa\n", "forgetting: qa\ncases:\n"])
    )
    @example(text="name: é\x07", head="forgetting: qa\n")
    def holds(text: str, head: str) -> None:
        load(folder, (head + text).encode("utf-8", "surrogatepass"))

    holds()


@tiers(200)
def test_changed_suites_are_loaded_or_refused(folder: Path, examples: int) -> None:
    """Lines, keys and values of valid suites left out, doubled, moved and replaced."""
    loaded = 0

    @trying(examples)
    @given(data=mutations())
    def holds(data: bytes) -> None:
        nonlocal loaded
        target(len(data.splitlines()), label="lines")
        loaded += load(folder, data) is not None

    holds()
    assert loaded > examples // 100  # else nothing behind the parser was tried


@tiers(120)
def test_suites_after_the_schema_are_loaded_or_refused(folder: Path, examples: int) -> None:
    """Every key with values of its kind, and odd ones among them."""
    loaded = 0

    @trying(examples)
    @given(data=schema_suites())
    def holds(data: bytes) -> None:
        nonlocal loaded
        loaded += load(folder, data) is not None

    holds()
    assert loaded > examples // 50


@pytest.mark.parametrize(
    "place", ["name: {}\n", "gate: {{max_drop: {}}}\n", "source: {}\n", "x: {}\n", "cases: [{}]\n"]
)
def test_each_odd_value_at_each_place(folder: Path, place: str) -> None:
    """A scalar that YAML cannot make a value of, or Python cannot print, is a finding."""
    for scalar in SCALARS:
        load(folder, HEAD + place.format(scalar).encode())


@pytest.mark.parametrize("scalar", SCALARS)
def test_each_odd_check(folder: Path, scalar: str) -> None:
    """The same for checks and their values."""
    for check in (scalar, f"{{contains: {scalar}}}", f"{{is-json: {scalar}}}", f"{{polite: {scalar}}}"):
        load(folder, f"forgetting: checklist\ncases:\n  - {{test: t, prompt: p, checks: [{check}]}}\n".encode())


def test_valid_suites_load(folder: Path) -> None:
    """What is mutated is valid before."""
    assert [text for text in valid() if load(folder, text.encode()) is None] == []


def exhausting() -> Iterator[tuple[str, str]]:
    """Documents made to take all memory, all time or all of the stack."""
    many = range(20_000)
    yield "flow", "name: " + "[" * 1_000_000
    yield "flow mappings", "name: " + "{a: " * 1_000_000
    yield "block", "name:\n  " + "- " * 1_000_000
    yield "keys", "? " * 1_000_000
    yield "anchors", "a0: &a0 [x]\n" + "".join(f"a{n + 1}: &a{n + 1} [*a{n}, *a{n}]\n" for n in range(60))
    yield "base 60", "name: " + ":".join(["59"] * 1_000_000)
    yield "digits", "name: 0x" + "f" * 4_000_000
    yield (
        "categories",
        "gate: {category_max_drop: {"
        + ", ".join(f"c{n}: 0.1" for n in many)
        + "}}\ncases:\n"
        + "".join(f"  - {{question: q{n}, answer: a, category: d{n}}}\n" for n in many),
    )
    yield "unknown keys", "".join(f"quastion{n}: 1\n" for n in many)
    yield "unknown keys of cases", "cases:\n" + "".join(f"  - {{quastion{n}: 1}}\n" for n in many)
    yield "long key", f"? {'a' * 4_000_000}\n: b\n"
    yield "long value", f"match: {'a' * 4_000_000}\n"
    yield "choices", "cases:\n  - {question: q, answer: a, choices: [" + "a, a," * 1_000_000 + "]}\n"
    yield "twins", "cases:\n" + "  - {question: q, answer: a}\n" * 20_000


LOAD = """\
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
from pytest_forgetting.errors import SuiteError
from pytest_forgetting.suites.loading import load_suite
try:
    load_suite(sys.argv[1], shown_as="s.yaml")
except SuiteError as error:
    print(str(error)[:1000])
else:
    print("loaded")
"""


@pytest.mark.slow
@pytest.mark.parametrize(("what", "text"), list(exhausting()), ids=[what for what, _ in exhausting()])
def test_no_document_exhausts_the_machine(tmp_path: Path, what: str, text: str) -> None:
    """Each ends within a minute of one core and three gigabytes, and the process lives."""
    path = tmp_path / "s.yaml"
    path.write_text(HEAD.decode() + text)
    done = subprocess.run([sys.executable, "-c", LOAD, path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), what
    assert done.stdout.startswith(("s.yaml:", "loaded"))


def test_nesting_that_would_end_the_process_is_refused(folder: Path) -> None:
    """A hundred thousand brackets overflow the C stack of a parser that recurses."""
    for opening in ("[", "{a: ", "- ", "? "):
        assert load(folder, HEAD + b"name:\n  " + opening.encode() * 100_000) is None
