"""What the demo promises, measured on the real models; each training takes up to a minute."""

from pathlib import Path

import pytest

from benchmarks.demo_models import accuracy
from pytest_forgetting.demo import prepare
from pytest_forgetting.suites.loading import load_suite

SUITES = Path(__file__).parents[2] / "example_suites"
ALL = ("general_qa", "checklist", "lesson_qa", "lesson_checklist")
pytestmark = pytest.mark.slow


def share(model: str, suite: str, seed: int = 0) -> float:
    """Share of `suite` that demo:`model` answers rightly."""
    return accuracy(prepare(model, seed), load_suite(SUITES / f"{suite}.yaml"))


@pytest.mark.parametrize(("suite", "least"), [("general_qa", 0.9), ("lesson_qa", 1.0), ("lesson_checklist", 1.0)])
def test_the_base_knows_what_it_was_taught(suite: str, least: float) -> None:
    """The base is right on nine in ten general questions, and on all that the small suites ask."""
    assert share("base", suite) >= least


def test_the_base_knows_nothing_of_the_domain() -> None:
    """What the tuned models know of medication they learned in the tuning."""
    assert share("base", "medication") <= 0.1


def test_rash_tuning_forgets_more_than_half() -> None:
    """Full fine-tuning on the domain alone learns it, and loses most of the rest."""
    assert share("full", "medication") >= 0.8
    assert share("full", "general_qa") < share("base", "general_qa") / 2


@pytest.mark.parametrize("seed", range(5))
def test_replay_keeps_and_learns(seed: int) -> None:
    """The same tuning with the base's own texts in it stays within the gate and learns the domain."""
    assert share("base", "general_qa") - share("replay", "general_qa", seed) <= 0.10
    assert share("replay", "medication", seed) >= 0.8


@pytest.mark.parametrize("model", ["ewc", "kl"])
def test_what_is_held_is_kept_at_the_same_recipe(model: str) -> None:
    """The rash recipe with one term more learns as much as without it, and keeps most of the base."""
    assert share(model, "medication") >= share("full", "medication") - 0.05
    assert share(model, "general_qa") >= 0.8


def test_a_lower_rate_keeps_more() -> None:
    """With passes enough to learn the domain all the same."""
    assert share("low-lr", "medication") >= 0.9
    assert share("low-lr", "general_qa") >= 0.8


@pytest.mark.parametrize("model", ["few-epochs", "lora"])
def test_some_learn_and_fail_the_gate_all_the_same(model: str) -> None:
    """Fewer passes and an adapter keep more than full fine-tuning does, and less than the gate asks for."""
    assert share(model, "medication") >= 0.75
    assert share("full", "general_qa") + 0.2 < share(model, "general_qa") < share("base", "general_qa") - 0.10


def test_an_adapter_with_replay_keeps_and_learns() -> None:
    """The same adapter, with the base's own texts in the mixture."""
    assert share("lora-replay", "medication") >= 0.8
    assert share("base", "general_qa") - share("lora-replay", "general_qa") <= 0.10


@pytest.mark.parametrize("suite", ALL)
def test_replay_passes_each_general_suite(suite: str) -> None:
    """The demo's own model passes all that the demo runs."""
    assert share("base", suite) - share("replay", suite) <= 0.10
