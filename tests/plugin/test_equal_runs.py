"""Equal runs write equal reports, whether answers were stored, by how many processes, in batches of whatever size."""

from pathlib import Path
from typing import Any

import pytest
import scipy.optimize  # noqa: F401 - numpy cannot be imported twice in one process
import torch
from safetensors.torch import load_file, save_file

from tests.plugin.real_runs import PAIR, run
from tests.tiny_models import tiny_adapter, tiny_llama

SUITES = {
    "qa": "forgetting: qa\nmax_new_tokens: 6\ncases:\n"
    + "".join(f"  - {{id: c{n}, prompt: 'number {n}', answer: '{n}', match: contains}}\n" for n in range(12)),
    "samples": "forgetting: qa\nmax_new_tokens: 4\nsamples: 3\ntemperature: 1.0\ncases:\n"
    + "".join(f"  - {{id: s{n}, prompt: 'sample {n}', answer: '[a-f]', match: regex}}\n" for n in range(6)),
}


@pytest.fixture
def pair(pytester: pytest.Pytester) -> Path:
    """./base and ./tuned, of which the latter has a weight that its architecture has no place for, and two suites."""
    tiny_llama(pytester.path / "base", seed=1)
    tuned = tiny_llama(pytester.path / "tuned", seed=2)
    weights = load_file(tuned / "model.safetensors")
    save_file({**weights, "model.extra": torch.zeros(2)}, tuned / "model.safetensors", {"format": "pt"})
    for name, text in SUITES.items():
        (pytester.path / f"{name}.yaml").write_text(text)
    return tuned


def reported(pytester: pytest.Pytester, *options: str, suites: tuple[str, ...] = tuple(SUITES)) -> dict[str, Any]:
    """The report of a run, less how long it took."""
    *first, last = (f"{name}.yaml" for name in suites)
    report = run(pytester, *PAIR, *first, *options, suite=last)[1]
    timing = report.pop("timing")
    return {**report, "computed": timing["model_computed"]}


def test_a_run_from_the_store_tells_all_that_the_first_run_told(pytester: pytest.Pytester, pair: Path) -> None:
    """What is odd about the weights is seen when they are loaded, and remembered with the answers."""
    first, second = reported(pytester), reported(pytester)
    assert (first.pop("computed"), second.pop("computed")) == (18, 0)
    assert any("no place for the weights model.extra" in finding["detail"] for finding in first["audit"])
    assert second == first


@pytest.mark.parametrize(
    "options", [("-n", "2"), ("--batch-size=1",), ("--batch-size=5", "-x"), ("--forgetting-no-store",)]
)
def test_nothing_but_the_timing_differs(pytester: pytest.Pytester, pair: Path, options: tuple[str, ...]) -> None:
    """Other processes, windows and batches, in float32."""
    first = reported(pytester)
    (pytester.path / "store" / "answers.sqlite").unlink()
    assert reported(pytester, *options) == first


def test_an_adapter_that_changes_its_base_is_told_of_each_time(pytester: pytest.Pytester) -> None:
    """The adapter's first run loads two copies of the base; the second loads nothing, and says the same."""
    base = tiny_llama(pytester.path / "base", seed=1)
    tiny_adapter(pytester.path / "tuned", base, init_lora_weights="pissa")
    (pytester.path / "qa.yaml").write_text(SUITES["qa"])
    first, second = reported(pytester, suites=("qa",)), reported(pytester, suites=("qa",))
    assert any("changes the weights below it" in finding["detail"] for finding in first["audit"])
    assert second["audit"] == first["audit"]
