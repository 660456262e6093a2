"""Suites and recordings are data: whatever their author puts into them, nothing runs, hangs, leaves or is written."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make

from pytest_forgetting.errors import SuiteError
from pytest_forgetting.grading import patterns, schema_keywords
from pytest_forgetting.grading.json_values import fitting, whole_value
from pytest_forgetting.grading.patterns import Undecidable
from pytest_forgetting.suites import sources
from pytest_forgetting.suites.building import Fault
from pytest_forgetting.suites.loading import load_suite
from pytest_forgetting.suites.sources import read_rows, source_file
from tests.recordings import CAPITALS, record, write_capitals

ODD_YAML = {
    "brackets": ("x: " + "[" * 200_000, "nested deeper than 50"),
    "braces": ("x: " + "{a: " * 200_000, "nested deeper than 50"),
    "dashes": ("x:\n " + "- " * 200_000, "nested deeper than 50"),
    "keys of keys": ("x:\n " + "? " * 200_000, "nested deeper than 50"),
    "alias bomb": ("a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]", "found an alias"),
    "merge bomb": ("a: &a {x: 1}\nb: {<<: *a}", "found an alias"),
    "circle": ("a: &a [*a]", "found an alias"),
    "many aliases": ("a: &a 1\nb: [" + "*a," * 100_000 + "]", "found an alias"),
    "huge number": ("x: " + "9" * 1_000_000, "a number of 1000000 characters"),
    "huge hexadecimal number": ("x: 0x" + "f" * 1_000_000, "a number of 1000002 characters"),
    "base 60": ("x: 1" + ":59" * 300_000, "a number of 900001 characters"),
    "base 60 with a point": ("x: 1" + ":59" * 500 + ".5", "a number of 1503 characters"),
    "an empty number": ("x: !!int ''", "under the tag !!int"),
    "no date": ("x: !!timestamp foo", "as a date"),
    "no truth": ("x: !!bool foo", "under the tag !!bool"),
    "python": ("x: !!python/object/apply:os.system ['touch ran']", "suites are plain data"),
    "python name": ("x: !!python/name:os.system", "suites are plain data"),
}


@pytest.mark.parametrize("kind", ODD_YAML)
def test_odd_yaml_is_refused_in_words(tmp_path: Path, kind: str) -> None:
    """In a process of its own, which neither ends by a signal nor takes a minute; the message is short."""
    text, told = ODD_YAML[kind]
    (tmp_path / "s.yaml").write_text("forgetting: qa\n" + text)
    script = "from pytest_forgetting.suites.loading import load_suite\nload_suite('s.yaml')"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "SuiteError: s.yaml:" in done.stderr
    assert told in done.stderr
    assert len(done.stderr) < 10_000
    assert os.listdir(tmp_path) == ["s.yaml"]  # noqa: PTH208 - names are what is compared


OUTSIDE = (
    "../secret.jsonl",
    "/etc/passwd",
    "link.jsonl",
    "chain.jsonl",
    "folder/secret.jsonl",
    "round.jsonl",
    "a\0.jsonl",
)


@pytest.mark.parametrize("name", [*OUTSIDE, "a\0.jsonl", "x" * 5000 + ".jsonl"])
def test_no_source_outside_of_the_folder(tmp_path: Path, name: str) -> None:
    """By its path, by links to it, through a linked folder; a circle of links and an impossible name are told too."""
    folder = tmp_path / "suites"
    folder.mkdir()
    (tmp_path / "secret.jsonl").write_text('{"question": "secret", "answer": "secret"}\n')
    (folder / "link.jsonl").symlink_to("../secret.jsonl")
    (folder / "chain.jsonl").symlink_to("link.jsonl")
    (folder / "folder").symlink_to("..")
    (folder / "round.jsonl").symlink_to("round.jsonl")
    (folder / "s.yaml").write_text(f"forgetting: qa\nsource: {json.dumps(name)}\n")
    with pytest.raises(SuiteError, match=r"lies outside|does not exist|control characters|cannot be read"):
        load_suite(folder / "s.yaml")


@pytest.mark.parametrize("swapped", ["file", "folder"])
def test_a_link_that_comes_after_the_check_is_not_followed(tmp_path: Path, swapped: str) -> None:
    """The file is opened part by part, each without following links."""
    inside, outside = tmp_path / "suites" / "data", tmp_path / "outside"
    for folder in (inside, outside):
        folder.mkdir(parents=True)
        (folder / "x.jsonl").write_text('{"question": "q", "answer": "a"}\n')
    file = source_file(tmp_path / "suites" / "s.yaml", "data/x.jsonl")
    assert len(list(read_rows(file, {}))) == 1
    moved = inside / "x.jsonl" if swapped == "file" else inside
    moved.rename(tmp_path / "moved")
    moved.symlink_to(outside / "x.jsonl" if swapped == "file" else outside)
    with pytest.raises(Fault, match="cannot be read"):
        list(read_rows(file, {}))


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_a_source_of_terabytes_is_not_read(tmp_path: Path, suffix: str) -> None:
    """Nor is one without a single line break, or one with endless rows."""
    with (tmp_path / f"x.{suffix}").open("wb") as file:
        file.truncate(1 << 40)
    (tmp_path / "s.yaml").write_text(f"forgetting: qa\nsource: x.{suffix}\n")
    with pytest.raises(SuiteError, match="has more than 256 MiB; wanted several smaller files"):
        load_suite(tmp_path / "s.yaml")


def test_rows_without_end_are_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file below the limit may hold very many short rows."""
    monkeypatch.setattr(sources, "MOST_ROWS", 3)
    (tmp_path / "x.jsonl").write_text('{"question": "q", "answer": "a"}\n' * 4)
    with pytest.raises(SuiteError, match="more than 3 cases"):
        load_suite(tmp_path / "x.jsonl")


def test_a_field_of_gigabytes_is_no_csv(tmp_path: Path) -> None:
    """csv's own limit holds."""
    (tmp_path / "x.csv").write_text(f'question,answer\n"{"q" * 200_000}",a\n')
    (tmp_path / "s.yaml").write_text("forgetting: qa\nsource: x.csv\n")
    with pytest.raises(SuiteError, match="cannot be read as CSV: field larger than field limit"):
        load_suite(tmp_path / "s.yaml")


PATTERNS = {
    "repeats of repeats": "(?:(?:(?:a{1000}){1000}){1000})",
    "deep": "(" * 5000 + ")" * 5000,
    "deep within the limit": "(" * 900 + "a" + ")" * 900,
    "long": "a" * 100_000,
    "calls itself": "(?R)",
    "calls a group": "(a(?1))",
    "calls a name": "(?<x>a(?&x))",
    "huge repeat": "a{99999999999999999999}",
}


@pytest.mark.parametrize("kind", PATTERNS)
def test_a_pattern_that_would_take_all_memory_is_refused(tmp_path: Path, kind: str) -> None:
    """When the suite is read; the time limit of a search would come too late."""
    case = {"test": "t", "prompt": "p", "checks": [{"regex": PATTERNS[kind]}]}
    (tmp_path / "s.yaml").write_text(json.dumps({"forgetting": "checklist", "cases": [case]}))
    with pytest.raises(SuiteError, match="is no regular expression: "):
        load_suite(tmp_path / "s.yaml")


@pytest.mark.parametrize("pattern", [r"\d{4}-\d{2}-\d{2}", r"[{(]{3}x\{9999999\}", r"(?i)^(yes|no)\b", "a{0,5000}"])
def test_usual_patterns_are_taken(tmp_path: Path, pattern: str) -> None:
    """Braces in sets and behind a backslash are no repeats."""
    case = {"test": "t", "prompt": "p", "checks": [{"regex": pattern}]}
    (tmp_path / "s.yaml").write_text(json.dumps({"forgetting": "checklist", "cases": [case]}))
    assert load_suite(tmp_path / "s.yaml").cases


RUNAWAY = "^(a|aa|b?a)+$"
KEY = "a" * 60 + "c"
DOUBLING = {str(n): {"dependentSchemas": {key: {"$ref": f"#/$defs/{n + 1}"} for key in "ab"}} for n in range(40)}
DRAFT_7 = "http://json-schema.org/draft-07/schema#"


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"patternProperties": {RUNAWAY: {}}}, {KEY: 1}),
        ({"patternProperties": {RUNAWAY: {}}, "additionalProperties": False}, {KEY: 1}),
        ({"properties": {}, "patternProperties": {"^x": {}, RUNAWAY: {}}, "additionalProperties": {}}, {KEY: 1}),
        ({"propertyNames": {"pattern": RUNAWAY}}, {KEY: 1}),
        ({"patternProperties": {RUNAWAY: {}}, "unevaluatedProperties": False}, {KEY: 1}),
        (
            {"properties": {"x": {"unevaluatedProperties": False, "$ref": "#/$defs/p"}}}
            | {"$defs": {"p": {"patternProperties": {RUNAWAY: {}}}}},
            {"x": {KEY: 1}},
        ),
        ({"$schema": DRAFT_7, "properties": {"x": {"$ref": "#"}}, "pattern": RUNAWAY}, {"x": KEY}),
        ({"properties": {"x": {"$schema": DRAFT_7, "pattern": RUNAWAY}}}, {"x": KEY}),
        ({"unevaluatedProperties": False, "$defs": DOUBLING | {"40": {}}, "$ref": "#/$defs/0"}, {"a": 1, "b": 1}),
        (
            {
                "$defs": {str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}] * 2} for n in range(40)} | {"40": {}},
                "$ref": "#/$defs/0",
            },
            1,
        ),
    ],
)
def test_a_json_schema_cannot_run_away(
    schema: dict[str, object], value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each place that searches has the time limit of patterns, and references that double have one for all."""
    monkeypatch.setattr(patterns, "TIME_LIMIT", 0.2)
    monkeypatch.setattr(schema_keywords, "TIME_LIMIT", 0.4)
    with pytest.raises(Undecidable, match=r"ran longer than 0.2 s|took longer than 0.4 s|is not supported"):
        fitting(schema)(value)


@pytest.mark.parametrize(
    "schema",
    [{"$schema": []}, {"$id": "http://[::1"}, {"enum": [{}] * 5000}, {"required": [{"n": n} for n in range(5000)]}],
)
def test_an_odd_schema_is_a_finding(tmp_path: Path, schema: dict[str, object]) -> None:
    """Or is taken, where it means something; it is never a traceback, and never takes minutes."""
    case = {"test": "t", "prompt": "p", "checks": [{"is-json": schema}]}
    (tmp_path / "s.yaml").write_text(json.dumps({"forgetting": "checklist", "cases": [case]}))
    told = _told(tmp_path / "s.yaml")
    assert told is None or "JSON Schema" in told


def _told(suite: Path) -> str | None:
    try:
        load_suite(suite)
    except SuiteError as error:
        return str(error)
    return None


def test_an_infinite_number_is_no_json() -> None:
    """`multipleOf` would raise for it: what a model says is never the suite's fault."""
    assert whole_value("[1e999]") == []


def test_names_in_messages_command_nothing(pytester: pytest.Pytester) -> None:
    """Neither a terminal, by escapes, nor a GitHub runner, by lines of their own."""
    (pytester.path / "s.yaml").write_text(
        'forgetting: qa\n"\\e[31mred\\n::error::forged": 1\ncases:\n  - {"\\e]0;title\\a\\n::error::forged": 1}\n'
        'source: "\\e[2J\\n::error::forged.jsonl"\n'
    )
    write_capitals(pytester.path)
    record(pytester.path / "old.json", pytester.path / "capitals.yaml", CAPITALS)
    result = pytester.runpytest_inprocess("--model=old.json", "--baseline=old.json", "s.yaml", "-p", "no:randomly")
    shown = result.stdout.str() + result.stderr.str()
    assert "forged" in shown
    assert "\x1b]" not in shown
    assert "\x1b[2J" not in shown
    assert "\x1b[31mred" not in shown
    assert not [line for line in shown.splitlines() if line.lstrip().startswith("::")]


GUARD = """
    import json, os, sys
    written, sockets = [], []
    def audit(event, args):
        if event in ("socket.connect", "socket.getaddrinfo", "socket.bind", "subprocess.Popen", "os.system", "os.exec",
                     "os.posix_spawn", "urllib.Request"):
            sockets.append((event, str(args)))
        writing = event == "open" and args[2] is not None and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writing or event in ("os.remove", "os.rename", "os.mkdir", "os.symlink", "os.link"):
            written.append((event, str(args[0])))
    from pytest_forgetting.suites.loading import load_suite
    from pytest_forgetting.grading.grade import fulfils
    from pytest_forgetting.suites.cases import Check
    from pytest_forgetting.answers.answer import Answer
    from pytest_forgetting.answers.recording_file import read
    from pytest_forgetting.errors import ForgettingError
    sys.dont_write_bytecode = True
    sys.addaudithook(audit)
    try:
        load_suite("hostile.yaml")
    except ForgettingError as error:
        print(error)
    for case in json.load(open("hostile.yaml"))["cases"]:  # past the loader, which refuses them
        try:
            fulfils(Check("is-json", case["checks"][0]["is-json"]), Answer('{"a": 1}', "eos"))
        except ForgettingError as error:
            print("told:", error)
    try:
        read("hostile.json")
    except ForgettingError as error:
        print("told:", error)
    assert not written, written
    assert not sockets, sockets
    print("quiet")
"""


def test_nothing_is_fetched_written_or_started(tmp_path: Path) -> None:
    """Reading a suite full of addresses, grading by its schemas, reading a recording: an audit hook sees no trace."""
    refs = ("http://127.0.0.1:9/x.json", "file:///etc/passwd", "ftp://127.0.0.1/x", "//host/share", "../other.json")
    schemas = [{"$ref": ref} for ref in refs] + [{"$schema": refs[0], "$id": refs[0], "$ref": "more"}]
    named = zip([*refs, "id"], schemas, strict=True)
    checks = [{"test": ref, "prompt": ref, "checks": [{"is-json": schema}]} for ref, schema in named]
    (tmp_path / "hostile.yaml").write_text(json.dumps({"forgetting": "checklist", "cases": checks}))
    (tmp_path / "hostile.json").write_text('{"recording": 2, "model": {"ref": "http://127.0.0.1:9"}, "answers": []}')
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(GUARD)], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.endswith("quiet\n"), done.stderr
    assert done.stdout.count("told: ") == len(checks) + 1


@pytest.mark.parametrize("reference", ["os:system", "evil:check"])
def test_python_checks_are_refused(pytester: pytest.Pytester, reference: str) -> None:
    """Without --forgetting-allow-python nothing of them is imported."""
    (pytester.path / "evil.py").write_text("open('ran', 'w').close()\ndef check(text): return True\n")
    case = {"test": "t", "prompt": "p", "checks": [{"python": reference}]}
    (pytester.path / "s.yaml").write_text(f"forgetting: checklist\ncases: {json.dumps([case])}\n")
    write_capitals(pytester.path)
    record(pytester.path / "old.json", pytester.path / "capitals.yaml", CAPITALS)
    result = pytester.runpytest_subprocess("--model=old.json", "--baseline=old.json", "s.yaml")
    result.stdout.fnmatch_lines(["*refused without --forgetting-allow-python*"])
    assert not (pytester.path / "ran").exists()


def test_a_distance_that_would_take_hours_is_refused(tmp_path: Path) -> None:
    """The time grows with the threshold times the length."""
    check = {"type": "levenshtein", "value": "a" * 10_000, "threshold": 10_000}
    case = {"test": "t", "prompt": "p", "checks": [check]}
    (tmp_path / "s.yaml").write_text(json.dumps({"forgetting": "checklist", "cases": [case]}))
    with pytest.raises(SuiteError, match="would take minutes"):
        load_suite(tmp_path / "s.yaml")
