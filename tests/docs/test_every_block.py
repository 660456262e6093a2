"""Every code block of README and of the documentation is run, or checked by what it is; none is left out."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import scipy.optimize  # noqa: F401 - an in-process pytest would import it anew, and numpy with it
import yaml

from pytest_forgetting.suites.loading import load_suite
from tests.docs.blocks import PAGES, ROOT, Block, blocks
from tests.docs.saying import share_said
from tests.docs.world import (
    ADDED,
    OWN,
    record_baseline,
    run_git,
    run_pytest,
    same_command,
    shown,
    stood_in,
    without_redirection,
    write_models,
    write_world,
)

ALL = [block for page in PAGES for block in blocks(page)]
ELSEWHERE = {
    ("docs/api.md", "python"): "tests/plugin/test_documented_api.py",
    ("docs/machine-readable.md", "json"): "tests/plugin/test_documented_reports.py",
    ("docs/machine-readable.md", "jsonl"): "tests/plugin/test_documented_reports.py",
    ("docs/machine-readable.md", "markdown"): "tests/plugin/test_documented_reports.py",
    ("docs/machine-readable.md", "xml"): "tests/plugin/test_documented_reports.py",
    ("docs/machine-readable.md", "output"): "tests/plugin/test_documented_reports.py",
    ("docs/suites.md", "output"): "tests/docs/test_shown_tables.py",
}
"""Blocks that another test runs, by page and language."""
NOT_RUN = {
    "pip": "needs the network",
    "python": "makes an environment, or starts a server",
    ".": "needs the environment",
    "make": "is what runs this test",
    "vllm": "needs vLLM",
    "llama-server": "needs llama.cpp",
    "lm_eval": "is another tool, of an environment of its own",
    "transformers": "serves until it is stopped",
}
"""Programs that are not run here, with the reason."""
NO_MESSAGES = {
    "drop = ": "a formula",
    "F_adj = ": "a formula",
    "pytest_forgetting/\n": "README's tree: tests/test_readme_tree.py",
    "forgetting, step 6: ": "a training of eight seconds: examples/stop_when_forgetting.py",
    '{\n "model": {': "the beginning of a recording: `test_a_recording_has_the_keys_that_are_shown`",
}
"""Blocks that show neither code nor what the package says by itself, by their beginnings."""
DEMO_PAGES = ("docs/quickstart.md", "docs/tutorial.md")
"""What they ask of the demo models, `test_demo_pages` asks; here it is only seen that pytest takes the command."""
LEAST = 0.75
"""Of a message: what stands in the package's own texts, and not in names and figures."""


def of(*languages: str) -> list[Any]:
    """The blocks in these languages that no other test runs."""
    wanted = (b for b in ALL if b.language in languages and (b.page, b.language) not in ELSEWHERE)
    return [pytest.param(block, id=block.place) for block in wanted]


@pytest.mark.parametrize("block", ALL, ids=[block.place for block in ALL])
def test_a_block_is_of_a_kind_that_is_checked(block: Block) -> None:
    """A block in another language, or with another program, wants a test of its own."""
    known = {"sh", "console", "yaml", "python", "json", "jsonl", "toml", "output"}
    assert block.language in known or (block.page, block.language) in ELSEWHERE, block.place
    if block.language in ("sh", "console"):
        for words, _ in block.commands:
            assert words[0] in {"pytest", "git", *NOT_RUN}, f"{block.place}: nothing runs {words[0]}"


@pytest.mark.parametrize("path", sorted(set(ELSEWHERE.values())))
def test_the_other_tests_are_there(path: str) -> None:
    """What is left to another test is not left to nobody."""
    assert (ROOT / path).is_file()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base, and what was tuned from it."""
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_run(pytester: pytest.Pytester, models: Path, page: str) -> None:
    """One after the other in one folder, with the page's files in it; outputs are those that are shown."""
    write_world(pytester.path, models)
    if page in DEMO_PAGES or "--forgetting-record" not in (ROOT / page).read_text(encoding="utf-8"):
        record_baseline(pytester.path)
    for block in blocks(page):
        if block.title:
            _write(pytester.path, block)
        if block.language in ("sh", "console"):
            for words, output in block.commands:
                _run(pytester, block, words, output)


def _write(folder: Path, block: Block) -> None:
    path = folder / block.title
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text, encoding="utf-8")


def _run(pytester: pytest.Pytester, block: Block, words: list[str], output: str) -> None:
    if words[0] in NOT_RUN:
        return
    if words[0] == "git":
        assert run_git(pytester.path, words) == 0, f"{block.place}: {words}"
        return
    command = same_command(words)
    demo = any("demo:" in word for word in words)
    if not _can_run(command) or (demo and block.page in DEMO_PAGES):
        pytester.parseconfig(*without_redirection(command)[1:], *OWN)
        return
    if "was not recorded from these cases" in output:
        with (pytester.path / "suites" / "qa.yaml").open("a") as suite:
            suite.write(ADDED)
    if any(word.startswith("--forgetting-init") for word in command):
        (pytester.path / "example_suites").rename(pytester.path / f"before{block.line}")
    result = run_pytest(pytester, command)
    if output and not demo:
        said = "\n".join(result.outlines + result.errlines)
        assert shown(said, stood_in(output)), f"{block.place} shows\n{stood_in(output)}\nand there is\n{said}"
    else:
        assert result.ret in (0, 1), f"{block.place}: exit code {result.ret}"


def _can_run(command: list[str]) -> bool:
    """Whether nothing is left open (also to a shell), or needs a server, a cluster, or processes of its own."""
    return not any(re.search(r"…|[*]|https?://|engine=ray", word) or word == "-n" for word in command)


@pytest.mark.parametrize("block", of("sh", "console"))
def test_what_is_installed_and_made_exists(block: Block) -> None:
    """Extras are those of pyproject.toml, targets those of the Makefile."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    makefile = (ROOT / "Makefile").read_text()
    for words, _ in block.commands:
        if words[0] == "pip":
            named = re.findall(r"pytest-forgetting\[(\w+)\]", " ".join(words))
            assert set(named) <= set(extras), block.place
        if words[0] == "make":
            assert re.search(rf"^{words[1]}:", makefile, re.MULTILINE), block.place


@pytest.mark.parametrize("block", of("python"))
def test_a_python_block_runs(
    pytester: pytest.Pytester, models: Path, block: Block, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a test file where it has tests, else as a script."""
    write_world(pytester.path, models)
    monkeypatch.setenv("PYTEST_FORGETTING_DEVICE", "cpu")
    text = stood_in(block.text)
    if "def test_" in text:
        pytester.makepyfile(test_own=text)
        result = pytester.runpytest_inprocess("test_own.py", *OWN)
        result.assert_outcomes(passed=text.count("def test_"))
    else:
        shutil.rmtree("ckpt")  # a training begins in an empty folder
        exec(compile(text, block.place, "exec"), {"__name__": block.place})


@pytest.mark.parametrize("block", of("yaml"))
def test_a_yaml_block_is_a_suite_or_a_pipeline(pytester: pytest.Pytester, block: Block) -> None:
    """Suites load; the commands of pipelines are understood by pytest."""
    if re.search(r"^forgetting: \w+$", block.text, re.MULTILINE):
        for other in blocks(block.page):
            if other.title:
                _write(pytester.path, other)
        path = pytester.path / (block.title or "s.yaml")
        path.write_text(block.text, encoding="utf-8")
        assert load_suite(path).cases
        return
    commands = list(_commands(yaml.safe_load(block.text)))
    assert commands, f"{block.place}: neither a suite nor a pipeline"
    for command in commands:
        words = command.split()
        if words[0] == "pytest":
            pytester.parseconfig(*words[1:], *OWN)


def _commands(given: Any) -> Iterator[str]:
    """The commands of a workflow, of its steps, or of a GitLab pipeline."""
    if isinstance(given, list):
        for step in given:
            assert len({"run", "uses"} & step.keys()) == 1, f"a step runs one thing: {step}"
            yield from filter(None, [step.get("run")])
    elif "jobs" in given:
        # YAML reads the key `on` as a truth value; GitHub does not.
        assert True in given
        for job in given["jobs"].values():
            assert job["runs-on"]
            yield from _commands(job["steps"])
            assert any("pytest" in str(step) or "forgetting" in str(step) for step in job["steps"])
    else:
        for job in given.values():
            yield from job["script"]


@pytest.mark.parametrize("block", of("json", "jsonl"))
def test_a_json_block_is_json(block: Block) -> None:
    """Whole, or line by line."""
    for text in block.text.splitlines() if block.language == "jsonl" else [block.text]:
        json.loads(text)


@pytest.mark.parametrize("block", of("toml"))
def test_a_toml_block_has_known_ini_keys(pytester: pytest.Pytester, block: Block) -> None:
    """Keys and values that a run takes."""
    (pytester.path / "pyproject.toml").write_text(block.text)
    config = pytester.parseconfig(*OWN)
    for name, value in tomllib.loads(block.text)["tool"]["pytest"]["ini_options"].items():
        assert config.getini(name) == value


@pytest.mark.parametrize("block", of("output"))
def test_what_is_shown_can_be_said(block: Block) -> None:
    """Each message stands in the package's own texts, names and figures aside."""
    if any(block.text.startswith(beginning) for beginning in NO_MESSAGES):
        return
    for line in block.text.splitlines():
        if not line.startswith("collected "):
            assert share_said(line) >= LEAST, f"{block.place}: nothing in the package says: {line}"


def test_a_recording_has_the_keys_that_are_shown(pytester: pytest.Pytester, models: Path) -> None:
    """Those of the file, of the model and of an answer."""
    write_world(pytester.path, models)
    run_pytest(pytester, ["pytest", "--baseline=./base", "--forgetting-record=base.json", "suites/"])
    made = json.loads((pytester.path / "base.json").read_text(encoding="utf-8"))
    text = next(block.text for block in blocks("docs/recordings.md") if block.text.startswith('{\n "model"'))
    told = json.loads(text.rpartition(",\n  …")[0] + "]}")
    assert told.keys() == made.keys()
    assert told["model"].keys() == made["model"].keys()
    assert told["answers"][0].keys() >= made["answers"][0].keys()
