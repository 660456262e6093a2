"""The examples of docs/api.md, run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import scipy.optimize  # noqa: F401 - an in-process pytest would import it anew, and numpy with it
import torch

import pytest_forgetting
from pytest_forgetting.grading.registry import isolated_checks
from tests.given_models import loaded
from tests.tiny_models import tiny_llama

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SUITE = """\
forgetting: qa
max_new_tokens: 6
match: regex
cases:
  - {id: sum, prompt: 1 + 1, answer: ., category: algebra}
  - {id: cap-fr, prompt: The capital of France is, answer: ., category: general}
"""


@pytest.fixture
def _models(pytester: pytest.Pytester) -> None:
    """What the page takes for granted."""
    tiny_llama(pytester.path / "base", seed=1)
    model, tokenizer = loaded(pytester.path / "base")
    with torch.no_grad():
        model.lm_head.weight.mul_(1.01)
    model.save_pretrained(pytester.path / "ckpt")
    tokenizer.save_pretrained(pytester.path / "ckpt")
    pytester.mkdir("suites")
    (pytester.path / "suites" / "math.yaml").write_text(SUITE)


@pytest.mark.usefixtures("_models")
def test_the_tests_on_the_page_pass(pytester: pytest.Pytester) -> None:
    """Each in the place of a user's own."""
    tests = [block for block in BLOCKS if "def test_" in block]
    pytester.makepyfile(test_own="\n".join(tests))
    result = pytester.runpytest_inprocess("--model=./ckpt", "--baseline=./base", "--device=cpu", "test_own.py")
    result.assert_outcomes(passed=sum(block.count("def test_") for block in tests))


@pytest.mark.usefixtures("_models")
def test_the_other_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    """One after the other, as in a notebook."""
    names: dict[str, Any] = {"assert_retained": pytest_forgetting.assert_retained}
    with isolated_checks():
        for block in BLOCKS:
            if "def test_" not in block:
                exec(compile(block, "docs/api.md", "exec"), names)
    assert "retained" in capsys.readouterr().out


@pytest.mark.parametrize("name", pytest_forgetting.__all__)
def test_every_public_name_is_on_the_page(name: str) -> None:
    """With what it is good for."""
    assert f"`{name}" in PAGE or any(name in block for block in BLOCKS)
