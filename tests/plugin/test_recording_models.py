"""Recording real models: the same bytes whatever the run, only what is missing is asked, nothing gets lost."""

from __future__ import annotations

import difflib
import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from pytest_forgetting.answers.engine import Heard, Noted, Task
from pytest_forgetting.answers.local_engine import LocalEngine
from tests.tiny_models import tiny_llama

RECORD = ("--baseline=./base", "--forgetting-record=base.json", "--device=cpu")
CASES = 6


@pytest.fixture
def suites(pytester: pytest.Pytester) -> Path:
    """A model, and suites of questions, checks, choices and texts."""
    tiny_llama(pytester.path / "base", seed=1)
    questions = [{"id": f"q{n}", "prompt": f"number {n}", "answer": "x"} for n in range(CASES)]
    (pytester.path / "a.yaml").write_text(f"forgetting: qa\nmax_new_tokens: 6\ncases: {json.dumps(questions)}\n")
    (pytester.path / "b.yaml").write_text(
        "forgetting: choice\ncases:\n  - {id: sky, prompt: The sky is, choices: [blue, green], answer: 0}\n"
    )
    (pytester.path / "c.yaml").write_text(
        "forgetting: checklist\nmax_new_tokens: 6\ncases:\n"
        "  - {id: long, test: t, prompt: Say., checks: [{type: word-count, value: {max: 99}}]}\n"
    )
    return pytester.path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The prompts that models are asked in this process, in whatever way."""
    prompts: list[str] = []
    ask = LocalEngine.ask

    def watched(self: LocalEngine, task: Task, heard: Heard) -> Noted:
        prompts.extend(request.text or "" for request in task.requests)
        return ask(self, task, heard)

    monkeypatch.setattr(LocalEngine, "ask", watched)
    return prompts


def record(pytester: pytest.Pytester, *options: str, files: Sequence[str] = ("a.yaml", "b.yaml", "c.yaml")) -> bytes:
    """Record without anything remembered from elsewhere; the file."""
    start = pytester.runpytest_subprocess if "-n" in options else pytester.runpytest_inprocess
    result = start(*RECORD, "--forgetting-no-store", "-p", "no:cacheprovider", *files, *options)
    assert result.ret == 0, result.stdout.str()
    return (pytester.path / "base.json").read_bytes()


def lines(path: Path) -> list[str]:
    """Of a recording."""
    return path.read_text().splitlines()


@pytest.mark.parametrize(
    "options",
    [(), ("-n", "2"), ("-p", "randomly"), ("-x",), ("-k", "q1 or sky or long")],
)
def test_every_run_writes_the_same_bytes(
    pytester: pytest.Pytester, suites: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    """Once more, by workers, in another order, for a selection, and on another day."""
    first = record(pytester)
    (suites / "base.json").unlink()
    monkeypatch.setattr(time, "time", lambda: 2e9)
    assert record(pytester, *options) == first


def test_a_model_at_another_place_gives_the_same_bytes(pytester: pytest.Pytester, suites: Path, tmp_path: Path) -> None:
    """Neither its folder's place nor the date of its files is recorded."""
    first = record(pytester, f"--baseline={suites}/base")
    (suites / "base.json").unlink()
    (suites / "moved").mkdir()
    shutil.move(suites / "base", suites / "moved" / "base")
    assert record(pytester, f"--baseline={suites}/moved/base") == first


def test_one_added_case_asks_for_that_one_only(pytester: pytest.Pytester, suites: Path, asked: list[str]) -> None:
    """Also where no answers are stored: those recorded still hold. The diff has the added answer and nothing else."""
    record(pytester)
    before = lines(suites / "base.json")
    asked.clear()
    with (suites / "b.yaml").open("a") as suite:
        suite.write("  - {id: sea, prompt: The sea is, choices: [wet, dry], answer: 0}\n")
    result = pytester.runpytest_inprocess(*RECORD, "--forgetting-no-store", "a.yaml", "b.yaml", "c.yaml")
    assert set(asked) == {"The sea is"}
    result.stdout.fnmatch_lines(["forgetting: recorded 9 answers of ./base in *base.json: 1 new, 0 changed, 0 dropped"])
    diff = list(difflib.unified_diff(before, lines(suites / "base.json"), n=0, lineterm=""))[3:]
    assert all(line.startswith("+") for line in diff)
    assert '+   "id": "sea",' in diff
    assert len(diff) == 8  # two brackets and six keys


def test_nothing_is_asked_where_all_is_recorded(pytester: pytest.Pytester, suites: Path, asked: list[str]) -> None:
    """And the file stays as it is."""
    first = record(pytester)
    asked.clear()
    assert record(pytester) == first
    assert asked == []


def test_a_changed_answer_is_a_few_lines(pytester: pytest.Pytester, suites: Path) -> None:
    """Another prompt: prompt, answer and what is known of it; the other cases are not touched."""
    record(pytester)
    before = lines(suites / "base.json")
    text = (suites / "a.yaml").read_text()
    (suites / "a.yaml").write_text(text.replace("number 3", "numeral 3"))
    record(pytester)
    diff = list(difflib.unified_diff(before, lines(suites / "base.json"), n=0, lineterm=""))[2:]
    assert {line.split('"')[1] for line in diff if line[0] in "+-"} <= {"answer", "finish", "prompt", "right"}


def test_another_model_is_recorded_anew(pytester: pytest.Pytester, suites: Path, asked: list[str]) -> None:
    """Nothing of the older recording is taken over, and the run says why."""
    record(pytester)
    asked.clear()
    shutil.rmtree(suites / "base")
    tiny_llama(suites / "base", seed=2)
    result = pytester.runpytest_inprocess(*RECORD, "--forgetting-no-store", "a.yaml", "b.yaml", "c.yaml")
    assert len(set(asked)) == CASES + 2
    result.stdout.fnmatch_lines(["*: 0 new, 8 changed, 0 dropped (weights * recorded, * now)"])


def test_a_dropped_case_is_told(pytester: pytest.Pytester, suites: Path) -> None:
    """A case that is gone leaves the recording."""
    record(pytester)
    (suites / "a.yaml").write_text((suites / "a.yaml").read_text().replace("q5", "q6"))
    result = pytester.runpytest_inprocess(*RECORD, "a.yaml")
    result.stdout.fnmatch_lines(
        ["*recorded 6 answers of ./base in *: 1 new, 0 changed, 1 dropped, 2 of other suites kept"]
    )


@pytest.mark.parametrize("options", [("-k", "q1"), ("-k", "q1", "-n", "2"), ("--deselect", "a.yaml::general::q2")])
def test_a_selection_never_writes_less_than_whole_suites(
    pytester: pytest.Pytester, suites: Path, options: tuple[str, ...]
) -> None:
    """Suites of which something is selected are recorded whole, and the others stay as they were recorded."""
    first = record(pytester)
    assert record(pytester, *options) == first
    (suites / "base.json").unlink()
    ids = {row["id"] for row in json.loads(record(pytester, "-k", "q1"))["answers"]}
    assert ids == {f"q{n}" for n in range(CASES)}


def test_other_suites_of_another_model_are_not_lost(pytester: pytest.Pytester, suites: Path, asked: list[str]) -> None:
    """One file cannot hold two models' answers: refused before anything is asked, and the file stays."""
    first = record(pytester)
    asked.clear()
    shutil.rmtree(suites / "base")
    tiny_llama(suites / "base", seed=2)
    result = pytester.runpytest_inprocess(*RECORD, "a.yaml")
    assert result.ret == 4
    result.stdout.fnmatch_lines(
        ["*base.json holds answers to other suites too (b, c), and they are of another model *"]
    )
    assert (asked, (suites / "base.json").read_bytes()) == ([], first)


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), RuntimeError("cosmic ray")])
def test_a_run_that_ends_early_leaves_the_file_whole(
    pytester: pytest.Pytester, suites: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    """Interrupted or failed, with one suite answered and another not."""
    first = record(pytester, files=["a.yaml"])

    def fail(*_: object) -> None:
        raise fault

    monkeypatch.setattr(LocalEngine, "ask", fail)
    try:
        result = pytester.runpytest_inprocess(*RECORD, "a.yaml", "b.yaml")
        assert result.ret != 0
    except KeyboardInterrupt:
        pass
    assert (suites / "base.json").read_bytes() == first
    assert not list(suites.glob(".base.json.*"))


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("suites.json", "suites.json: cannot be written: it is a folder"),
        ("a.yaml/b.json", "b.json: cannot be written: *a.yaml: Not a directory"),
        ("/proc/none/b.json", "b.json: cannot be written: /proc: *"),
    ],
)
def test_a_place_that_cannot_be_written_is_told_first(pytester: pytest.Pytester, path: str, told: str) -> None:
    """Before any model is looked for: there is none."""
    pytester.mkdir("suites.json")
    (pytester.path / "a.yaml").write_text("forgetting: qa\ncases:\n  - {question: a, answer: b}\n")
    result = pytester.runpytest_inprocess("--baseline=./none", f"--forgetting-record={path}", "a.yaml")
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"ERROR: --forgetting-record *{told}"])


def test_a_file_that_is_no_recording_is_not_replaced(pytester: pytest.Pytester, suites: Path) -> None:
    """A mistyped name must not cost anybody their package.json."""
    (suites / "base.json").write_text('{"name": "ours"}')
    result = pytester.runpytest_inprocess(*RECORD, "a.yaml")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: *base.json: is no recording: *"])
    assert (suites / "base.json").read_text() == '{"name": "ours"}'


def test_the_baselines_recording_is_not_replaced_by_the_models(pytester: pytest.Pytester, suites: Path) -> None:
    """`--baseline base.json --model M --forgetting-record base.json` cannot be meant."""
    first = record(pytester)
    tiny_llama(suites / "tuned", seed=2)
    options = ("--model=./tuned", "--baseline=base.json", "--forgetting-record=base.json", "a.yaml")
    result = pytester.runpytest_inprocess(*options)
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        ["ERROR: --forgetting-record *base.json: is the baseline that the model is compared with*"]
    )
    assert (suites / "base.json").read_bytes() == first


def test_with_a_model_it_is_the_model_that_is_recorded(pytester: pytest.Pytester, suites: Path) -> None:
    """Header and last lines say whose answers are recorded."""
    tiny_llama(suites / "tuned", seed=2)
    options = ("--model=./tuned", "--baseline=./base", "--forgetting-record=new.json", "--device=cpu")
    result = pytester.runpytest_inprocess(*options, "a.yaml")
    result.stdout.fnmatch_lines(
        [
            "forgetting: ./tuned against ./base · the model's answers are recorded in *new.json",
            "forgetting: recorded 6 answers of ./tuned in *new.json",
        ]
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--forgetting-record=b.txt",), "--forgetting-record: found 'b.txt', wanted a name that ends in .json"),
        (
            ("--forgetting-record=b.json", "--forgetting-limit=2"),
            "--forgetting-limit with --forgetting-record: a recording holds whole suites; leave one out",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(pytester: pytest.Pytester, options: tuple[str, ...], told: str) -> None:
    """What no later run could read, and a part that none could use."""
    result = pytester.runpytest_inprocess("--baseline=./base", *options)
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"ERROR: {told}"])


def test_two_suites_of_one_name_must_not_ask_different_things(pytester: pytest.Pytester, suites: Path) -> None:
    """A recording knows cases by the suite's name and their own."""
    for name in ("d", "e"):
        text = f"forgetting: qa\nname: N\ncases:\n  - {{id: x, question: {name}?, answer: y}}\n"
        (suites / f"{name}.yaml").write_text(text)
    result = pytester.runpytest_inprocess(*RECORD, "d.yaml", "e.yaml")
    assert result.ret == 4
    result.stdout.fnmatch_lines(["*d.yaml:4 and e.yaml:4: two cases 'x' of suites named 'N' ask different things*"])
