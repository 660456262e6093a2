"""The fixture `finetuned` in somebody's own tests."""

from pathlib import Path

import pytest

from tests.training.tiny_base import TEXTS, tiny_base_folder

OWN_TESTS = f"""
import pytest
from pytest_forgetting.training import FullFineTune, Recipe

TEXTS = {TEXTS!r}

@pytest.mark.parametrize("n", range(4))
def test_tuned(finetuned, n):
    tuned = finetuned(FullFineTune(Recipe(1e-2, 1, 1)), base="base", data=TEXTS, use_cpu=True)
    with open("paths.txt", "a") as file:
        file.write(f"{{tuned}} {{(tuned.path / 'model.safetensors').stat().st_mtime_ns}}\\n")
"""


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "-n2"])
def test_it_is_trained_once(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: tuple[str]) -> None:
    """Whichever worker asks first; the others wait and take the same."""
    monkeypatch.setenv("PYTEST_FORGETTING_CACHE", str(pytester.path / "cache"))
    tiny_base_folder(pytester.path / "base")
    pytester.makepyfile(OWN_TESTS)
    run = pytester.runpytest_subprocess if workers else pytester.runpytest_inprocess
    first = run("-p", "no:randomly", *workers)
    first.assert_outcomes(passed=4)
    assert workers or "training FullFineTune on 2 examples (once: it is kept)" in first.errlines + first.outlines
    told = (pytester.path / "paths.txt").read_text().splitlines()
    assert (len(told), len(set(told))) == (4, 1)
    assert len([path for path in Path("cache/finetuned").iterdir() if path.is_dir()]) == 1


def test_it_is_documented(pytester: pytest.Pytester) -> None:
    """`pytest --fixtures` says how it is used."""
    pytester.runpytest_inprocess("--fixtures").stdout.fnmatch_lines(
        ["finetuned [[]session scope[]]*", "*base=…, data=…*"]
    )
