"""Fixtures for tests of one's own; what they need is imported when they are used."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_forgetting.training.tuned import FineTuned


@pytest.fixture(scope="session")
def finetuned() -> Callable[..., FineTuned]:
    """``finetuned(method, base=…, data=…)``: the tuned model, trained in the first run and kept for the next ones.

    ::

        from pytest_forgetting import assert_retained, compare
        from pytest_forgetting.training import SAFE, FullFineTune

        def test_our_recipe_passes_the_gate(finetuned):
            tuned = finetuned(FullFineTune(SAFE), base="./base", data="domain.jsonl")
            assert_retained(compare(model=tuned, baseline="./base", suites="suites/"))

    Takes ``seed=``, ``max_length=`` and ``use_cpu=`` as `training.finetune` does; see `training.cached`.
    """
    from pytest_forgetting.training.cached import finetuned

    return finetuned
