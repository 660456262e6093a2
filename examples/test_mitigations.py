"""Two statements about ways to fine-tune, as tests: ``pytest examples/test_mitigations.py``.

Both models are trained in the first run (some two minutes on two cores) and kept for the next ones, also under
``-n``. Put your own base, data, suites and recipe in their places.
"""

from pathlib import Path

import pytest

from pytest_forgetting import assert_retained, compare
from pytest_forgetting.demo.facts import domain_texts
from pytest_forgetting.training import FullFineTune, Recipe, Replay

BASE = "demo:base"
DATA = domain_texts()
SUITES = Path(__file__).parents[1] / "example_suites"
RECIPE = Recipe(learning_rate=1.5e-3, epochs=60)
"""Rash: nearly the rate that the base itself was trained with."""


def test_replay_on_this_data_passes_the_gate(finetuned):
    """With the base's own texts in the mixture the domain is learned, and little else forgotten."""
    model = finetuned(Replay(FullFineTune(RECIPE), share=0.6), base=BASE, data=DATA)
    assert_retained(compare(model=model, baseline=BASE, suites=SUITES), max_drop=0.10)


def test_risky_full_fine_tuning_fails_it(finetuned):
    """The same recipe on the domain alone overwrites what the base knew."""
    model = finetuned(FullFineTune(RECIPE), base=BASE, data=DATA)
    with pytest.raises(AssertionError, match="FAIL"):
        assert_retained(compare(model=model, baseline=BASE, suites=SUITES), max_drop=0.10)
