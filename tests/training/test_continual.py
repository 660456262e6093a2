"""Elastic weight consolidation as continual learning, on two tasks in a row."""

import pytest

from benchmarks.digits import PERMUTED, Method, digits, held, outcome

pytest.importorskip("sklearn")


def test_ewc_keeps_the_first_task_that_plain_training_forgets() -> None:
    """After the second task far more is right of the first, and of the second nearly as much."""
    tasks = PERMUTED.tasks(digits(), 0)[:2]
    plain, ewc = (outcome(tasks, PERMUTED.classes, method, 0) for method in (Method("plain"), held(PERMUTED)["EWC"]))
    assert ewc.learned == plain.learned > 0.9
    assert ewc.kept > plain.kept + 0.2
    assert ewc.last > plain.last - 0.05
