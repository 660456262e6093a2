"""Capacity on paper follows from the figures that were measured."""

from __future__ import annotations

import pytest

from benchmarks.capacity import MODELS, Measured, least_gpus, shown, stages
from benchmarks.ceilings import Ceilings, Shape
from tests.docs.blocks import ROOT


def test_the_page_shows_what_the_results_come_to() -> None:
    """After a benchmark was run again: `python -m benchmarks.capacity` prints the tables."""
    assert shown(Measured.read()) in (ROOT / "docs" / "capacity.md").read_text(encoding="utf-8")


def test_few_rows_wait_for_memory_and_many_for_arithmetic() -> None:
    """One row of one token: the weights are read once to read the prompt, and once for each further token."""
    shape, able = Shape(body=1000, head=100, state=0, width=2), Ceilings(1000.0, 1e9)
    assert able.seconds(shape, [[1]], 3) == pytest.approx(3 * 2200 / 1000)
    slow = Ceilings(1e9, 1000.0)
    assert slow.seconds(shape, [[5, 5]], 2) == pytest.approx(2 * (1000 * 10 + 100 * 2) / 1000 + 2 * 1100 * 2 / 1000)


@pytest.mark.parametrize(("name", "billions", "gpus"), [("8 B", 7.5, 1), ("70 B", 69.5, 2)])
def test_the_models_are_those_of_the_field(name: str, billions: float, gpus: int) -> None:
    """Llama 3.1: 8.03 and 70.6 billion parameters, of which the table of input embeddings is not counted."""
    shape = MODELS[name]
    assert (shape.body + shape.head) / 1e9 == pytest.approx(billions, abs=0.1)
    assert least_gpus(shape) == gpus


def test_only_the_gpus_part_shrinks_with_gpus() -> None:
    """The driver is one process."""
    few, many = (stages(MODELS["8 B"], 1000, gpus, Measured.read()) for gpus in (1, 8))
    assert few["GPUs"] == pytest.approx(8 * many["GPUs"])
    assert few["driver"] == many["driver"]
