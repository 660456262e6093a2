"""What the pages of the documentation take for granted, in a folder where their commands run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from pytest_forgetting.commands.shipped import shipped
from pytest_forgetting.suites.loading import load_suite
from tests.recordings import CAPITALS, record, write_capitals
from tests.tiny_models import tiny_llama

STAND_INS: Mapping[str, str] = {
    "Qwen/Qwen2.5-0.5B-Instruct": "./ckpt",
    "Qwen/Qwen2.5-0.5B": "./base",
    "demo:full": "./ckpt",
    "demo:replay": "./ckpt",
    "demo:base": "./base",
}
"""Tiny models in the place of those that need the network or minutes of training."""
SUITE = """\
# Three capitals, of which any answer is right.
forgetting: qa
max_new_tokens: 4
match: regex
cases:
  - {id: capital-of-france, question: What is the capital of France?, answer: .}
  - {id: capital-of-japan, question: What is the capital of Japan?, answer: .}
  - {id: capital-of-italy, question: What is the capital of Italy?, answer: .}
"""
ADDED = "  - {id: capital-of-peru, question: What is the capital of Peru?, answer: .}\n"
DOMAIN = '{"question": "What is aspirin?", "answer": "An NSAID."}\n{"text": "A statin lowers cholesterol."}\n'
OWN = ("-p", "no:randomly", "-p", "no:cacheprovider")
MOST = "2"
"""Cases asked of each starter suite: what they say of random models tells nobody anything."""


PROMPTFOO = """\
prompts: ["What is the capital of {{country}}?"]
tests:
  - vars: {country: France}
    assert: [{type: icontains, value: Paris}]
"""
"""A configuration as promptfoo has it."""


def write_world(folder: Path, models: Path) -> None:
    """A base, what was tuned from it, suites, recordings and the data of a tuning; `models` has the first two."""
    for name in ("base", "ckpt"):
        shutil.copytree(models / name, folder / name)
    (folder / "suites").mkdir()
    (folder / "suites" / "qa.yaml").write_text(SUITE)
    shutil.copytree(shipped("example_suites"), folder / "example_suites")
    suite = write_capitals(folder)
    record(folder / "old.json", suite, CAPITALS)
    record(folder / "new.json", suite, {**CAPITALS, "Spain": "Barcelona", "Peru": "Cusco"})
    (folder / "domain.jsonl").write_text(DOMAIN)
    (folder / "questions.jsonl").write_text('{"question": "What is the capital of France?", "answer": "Paris"}\n')
    (folder / "promptfooconfig.yaml").write_text(PROMPTFOO)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)


def record_baseline(folder: Path) -> None:
    """`base.json`, as somebody has put it into git."""
    suite = folder / "suites" / "qa.yaml"
    record(folder / "base.json", suite, {case.id: "Paris" for case in load_suite(suite).cases})


def write_models(folder: Path) -> Path:
    """`base` and `ckpt`, tiny, of other weights."""
    for seed, name in enumerate(("base", "ckpt")):
        tiny_llama(folder / name, seed=seed)
    return folder


def stood_in(text: str) -> str:
    """A command, or what it prints, with the stand-ins."""
    for name, stand_in in STAND_INS.items():
        text = text.replace(name, stand_in)
    return text


def run_pytest(pytester: pytest.Pytester, words: Sequence[str]) -> pytest.RunResult:
    """Run a page's command in this process; what it redirects is written."""
    words, _, target = _parted(words)
    # A recording is made of whole suites.
    limit = {"PYTEST_FORGETTING_LIMIT": MOST} if any("example_suites" in word for word in words) else {}
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GITHUB_ACTIONS", raising=False)
        for name, value in {**limit, "PYTEST_FORGETTING_DEVICE": "cpu"}.items():
            patch.setenv(name, value)
        result = pytester.runpytest_inprocess(*words[1:], *OWN)
    if target:
        (pytester.path / target).write_text("\n".join(result.outlines))
    return result


def _parted(words: Sequence[str]) -> tuple[list[str], str, str]:
    before, sign, after = list(words), "", ""
    if ">" in before:
        at = before.index(">")
        before, sign, after = before[:at], ">", before[at + 1]
    return before, sign, after


def without_redirection(words: Sequence[str]) -> list[str]:
    """The command by itself."""
    return _parted(words)[0]


def run_git(folder: Path, words: Sequence[str]) -> int:
    """Run git as it stands, without the user's settings; its exit code."""
    own = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    return subprocess.run(words, cwd=folder, env=own, capture_output=True, check=False).returncode


def shown(output: str, wanted: str) -> bool:
    """Whether `output` is what a page shows: `...` is any lines, `…` any text in a line; times and rules may differ."""
    pattern = "".join(_line(line) for line in _tidy(wanted).splitlines())
    return re.fullmatch(pattern + r"\n*", _tidy(output) + "\n") is not None


def _line(line: str) -> str:
    if line.strip() in ("...", "…"):
        return r"(?:.*\n)*?"
    return ".*".join(map(re.escape, line.split("…"))) + r"\n"


def _tidy(text: str) -> str:
    text = re.sub(r"={3,}", "===", re.sub(r"in \d+\.\d\ds", "in 0s", text))
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def same_command(words: Sequence[str]) -> list[str]:
    """The words of a command with the stand-ins."""
    return shlex.split(stood_in(shlex.join(words)))
