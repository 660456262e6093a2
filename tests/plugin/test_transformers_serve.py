"""`transformers serve`, started as its users start it: answers are those of the same models here."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make

from tests.plugin.real_runs import run
from tests.plugin.served_suites import TEMPLATE, findings, said, write_choices, write_questions
from tests.tiny_models import tiny_llama, tiny_tokenizer

pytestmark = pytest.mark.slow
TRANSFORMERS = "from transformers.cli.transformers import main; main()"
"""Its command, which need not lie beside the Python that runs the tests."""
PATIENCE = 120
"""Seconds that the server may take to start."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """A base, its tuning, and a model with a chat template."""
    here = tmp_path_factory.mktemp("models")
    chat = tiny_llama(here / "chat", seed=2, tokenizer=tiny_tokenizer(chat_template=TEMPLATE))
    return {"base": tiny_llama(here / "base"), "tuned": tiny_llama(here / "tuned", seed=1), "chat": chat}


@pytest.fixture(scope="module")
def url(folders: Mapping[str, Path]) -> Iterator[str]:
    """One server, which loads whatever is named."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", TRANSFORMERS, "serve", "--host", "127.0.0.1", "--port", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    # Arguments of several types.
    server = subprocess.Popen([*command, "--device=cpu", "--dtype=float32"], env=environment, **quiet)  # type: ignore[call-overload]
    try:
        _see_started(port)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(timeout=20)


def _see_started(port: int) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            with urlopen(f"http://127.0.0.1:{port}/health"):
                return
        except URLError:
            time.sleep(0.2)
    pytest.fail(f"transformers serve did not start within {PATIENCE} s")


@pytest.mark.parametrize("name", ["base", "chat"])
def test_answers_are_those_of_the_same_model_here(
    pytester: pytest.Pytester, url: str, folders: Mapping[str, Path], name: str
) -> None:
    """Plain prompts, and chats through the model's own template."""
    write_questions(pytester.path, 'stop: ["o", "<"]\n')
    _, report = run(pytester, f"--model={url}#{folders[name]}", f"--baseline={folders[name]}")
    assert said(report, "model") == said(report, "baseline")
    assert len({each["answer"] for each in said(report, "model").values()}) > 1
    assert ("/chat/completions" in findings(report, "endpoint")[0]) == (name == "chat")


def test_a_pair_on_one_server(pytester: pytest.Pytester, url: str, folders: Mapping[str, Path]) -> None:
    """Sixteen requests at once, in two workers: outcomes are those of the same pair here."""
    write_questions(pytester.path)
    pair = (f"--model={url}#{folders['tuned']}", f"--baseline={url}#{folders['base']}")
    _, served = run(pytester, *pair, "-n", "2")
    _, local = run(pytester, f"--model={folders['tuned']}", f"--baseline={folders['base']}")
    assert [said(served, side) for side in ("baseline", "model")] == [
        said(local, side) for side in ("baseline", "model")
    ]


def test_it_gives_no_scores(pytester: pytest.Pytester, url: str, folders: Mapping[str, Path]) -> None:
    """It leaves `echo` and `logprobs` out of account, and that is noticed."""
    write_choices(pytester.path)
    result, _ = run(pytester, f"--model={url}#{folders['tuned']}", f"--baseline={url}#{folders['base']}")
    assert result.ret == 4
    result.stdout.fnmatch_lines(["*s.yaml: a choice suite goes by log-likelihoods, and *gives no log-likelihoods*"])


def test_a_model_that_it_cannot_load(pytester: pytest.Pytester, url: str, folders: Mapping[str, Path]) -> None:
    """It fails over the request, and what it said is told."""
    write_questions(pytester.path)
    result, _ = run(pytester, f"--model={url}#no-such-model", f"--baseline={url}#{folders['base']}")
    assert result.ret == 3
    result.stdout.fnmatch_lines([f"*{url}: answers 500: Internal Server Error, however often it is asked*"])
