"""Rules of thumb for hyperparameters."""

import warnings
from pathlib import Path
from typing import Any

import pytest
from transformers import TrainingArguments

from pytest_forgetting.training import ForgettingWarning, check_arguments

USUAL: dict[str, Any] = {"learning_rate": 2e-5, "num_train_epochs": 3, "warmup_steps": 0.05, "weight_decay": 0.0}


def arguments(folder: Path, **changed: Any) -> TrainingArguments:
    """Careful arguments, some of them changed."""
    return TrainingArguments(str(folder), **{**USUAL, **changed})


@pytest.mark.parametrize(
    ("kind", "rate"), [("full", 1e-5), ("full", 2e-5), ("lora", 1e-4), ("lora", 3e-4), ("qlora", 2e-4)]
)
def test_usual_arguments_are_silent(tmp_path: Path, kind: Any, rate: float) -> None:
    """The ends of each span belong to it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check_arguments(arguments(tmp_path, learning_rate=rate), kind=kind) == []


@pytest.mark.parametrize(
    ("kind", "changed", "told"),
    [
        ("full", {"learning_rate": 5e-5}, "learning_rate 5e-05 forgets more: 1e-05 to 2e-05 is usual for full .*2509"),
        ("lora", {"learning_rate": 2e-5}, "learning_rate 2e-05 may learn too little: 0.0001 to 0.0003 is about ten"),
        ("qlora", {"learning_rate": 3e-4}, "learning_rate 0.0003 forgets more: 0.0001 to 0.0002 .*2305.14314"),
        ("full", {"num_train_epochs": 10}, "num_train_epochs 10: more than 3 passes .*2401.05605"),
        ("full", {"warmup_steps": 0}, "no warm-up"),
        ("full", {"weight_decay": 0.01}, "weight_decay 0.01 pulls towards zero, not towards the base.*1802.01483"),
    ],
)
def test_each_rule_that_is_broken_is_warned_of(tmp_path: Path, kind: Any, changed: dict[str, Any], told: str) -> None:
    """The value, the effect and the source."""
    rate = {} if "learning_rate" in changed or kind == "full" else {"learning_rate": 2e-4}
    with pytest.warns(ForgettingWarning, match=told):
        assert len(check_arguments(arguments(tmp_path, **rate, **changed), kind=kind)) == 1


def test_a_number_of_steps_goes_before_epochs(tmp_path: Path) -> None:
    """With max_steps the number of epochs has no meaning."""
    assert check_arguments(arguments(tmp_path, num_train_epochs=10, max_steps=50)) == []
