"""Fuzzing that looks for new branches, by atheris (libFuzzer): for hours, where the tests here take minutes.

    pip install atheris
    python -m tests.fuzzing.fuzz suites CORPUS -max_total_time=3600     # or answers, recordings, rows

CORPUS is a folder where inputs that reached something new are kept; what follows it is libFuzzer's. It ends at the
first input that raises what it may not, which is left in the current folder as `crash-…` and is asked again by
``python -m tests.fuzzing.fuzz suites crash-…``.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import atheris  # type: ignore[import-untyped]  # it ships no types

with atheris.instrument_imports(include=["pytest_forgetting", "yaml", "jsonschema"]):
    from pytest_forgetting.answers.recording_file import read
    from pytest_forgetting.answers.store_rows import answer_in
    from pytest_forgetting.errors import SuiteError, WrongUsage
    from pytest_forgetting.grading.form import right_in_other_form
    from pytest_forgetting.grading.grade import grade
    from pytest_forgetting.suites.cases import Case, MatchRule, Prompt
    from pytest_forgetting.suites.checks import BadCheck, read_check
    from pytest_forgetting.suites.loading import load_suite

from tests.fuzzing.tiers import outcome

FOLDER = Path(tempfile.mkdtemp())
CHECKS: tuple[dict[str, Any] | str, ...] = (
    *({name: "Paris"} for name in ("equals", "contains", "icontains", "starts-with", "levenshtein")),
    *("is-json", "contains-json", "is-refusal", "finished", {"word-count": 5}, {"sentence-count": {"max": 2}}),
    *({"number": 105}, {"mentions": {"values": ["Paris", "15"]}}, {"regex": "^(a|aa|b?a)+$"}),
    {"is-json": {"patternProperties": {"(a+)+$": {"multipleOf": 0.1}}, "items": {"$ref": "#"}, "uniqueItems": True}},
)


@dataclass(frozen=True)
class Answered:
    """An answer as the grading sees it."""

    text: str
    finish: str = "eos"


def suites(data: bytes) -> None:
    """A suite file is loaded or refused, with a place in every line."""
    path = FOLDER / "s.yaml"
    path.write_bytes(data)
    _, told = outcome(lambda: load_suite(path, shown_as="s.yaml"), SuiteError)
    assert not told or all(line.isprintable() and line.startswith("s.yaml:") for line in told.split("\n")), told


def answers(data: bytes) -> None:
    """An answer is judged by every check and by every matcher, with a part of it for the accepted answer."""
    said, _, accepted = data.decode("utf-8", "surrogateescape").partition("\x1e")
    answer = Answered(said)
    for entry in CHECKS:
        check = read_check(entry, (), allow_python=False)
        grade(Case("a", "c", Prompt("q", ()), checks=(check,)), answer)
    for rule in get_args(MatchRule):
        wanted = "105" if rule == "number" else accepted
        case = Case("a", "c", Prompt("q", ()), (wanted,), rule)
        with contextlib.suppress(SuiteError):  # a pattern that is none
            grade(case, answer)
            right_in_other_form(case, answer)


def recordings(data: bytes) -> None:
    """A recording is read or refused in one line."""
    path = FOLDER / "r.json"
    path.write_bytes(data)
    _, told = outcome(lambda: read(str(path)), WrongUsage)
    assert told.isprintable(), told


def rows(data: bytes) -> None:
    """A stored row is an answer or damaged; a check in a suite is one or a bad one."""
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(ValueError):
        answer_in(text)
    with contextlib.suppress(BadCheck, ValueError, RecursionError):
        entry = json.loads(text)
        with contextlib.suppress(BadCheck):
            read_check(entry, (), allow_python=False)


TARGETS: dict[str, Callable[[bytes], None]] = {each.__name__: each for each in (suites, answers, recordings, rows)}


def main() -> None:
    """Fuzz what the first argument names."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"wanted one of {', '.join(TARGETS)}, a folder for the corpus, and libFuzzer's options")
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
