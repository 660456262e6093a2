"""Doubtful outcomes are asked again before they count; first answers are put into a real store as a batch gave them."""

from __future__ import annotations

from dataclasses import replace
from math import log
from pathlib import Path
from typing import Any

import pytest

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.interview import Interview
from pytest_forgetting.answers.requests import Request
from pytest_forgetting.answers.sides import LiveSide, SideName
from pytest_forgetting.comparison.comparison import Comparison
from pytest_forgetting.errors import DoesNotFit
from pytest_forgetting.evaluation.opening import open_evaluation
from pytest_forgetting.settings import Settings
from pytest_forgetting.suites.cases import Suite
from pytest_forgetting.suites.loading import load_suite
from tests.tiny_models import END, scripted_llama, tiny_llama, tiny_tokenizer

QA = "forgetting: qa\nmatch: exact\ncases:\n  - {prompt: 'a?', answer: xy}\n  - {prompt: 'b?', answer: xy}\n"
RIGHT, WRONG = Answer("xy", "eos"), Answer("z", "eos")
CLEAR, NEAR = 0.5, 1e-5


class Setting:
    """A base that answers "xy" to everything, and a tuned model that says `script`."""

    def __init__(self, folder: Path, script: tuple[str, ...], suite: str = QA, **options: Any) -> None:
        """Write both models and the suite."""
        base, tuned = folder / "base", folder / "tuned"
        scripted_llama(base, ("?", "x", "y", END), tokenizer=tiny_tokenizer())
        scripted_llama(tuned, script, tokenizer=tiny_tokenizer())
        # One blank more, and the two are told apart even where they say the same.
        (tuned / "tokenizer.json").write_text((tuned / "tokenizer.json").read_text() + "\n")
        (folder / "s.yaml").write_text(suite)
        self.suite: Suite = load_suite(folder / "s.yaml")
        self.store = folder / "store"
        self.settings = Settings(model=str(tuned), baseline=str(base), device="cpu", **options)

    def put(self, **answers: Answer) -> None:
        """Keep the same answer to every case, for each side named."""
        evaluation = open_evaluation(self.settings, self.store)
        for name, answer in answers.items():
            side = evaluation.sides[name]  # type: ignore[index]  # names are keywords here
            assert isinstance(side, LiveSide)
            side.keep({request: answer for case in self.suite.cases for request in side.requests(case)})
        evaluation.close()

    def compared(self) -> Comparison:
        """Ask whatever is missing, and judge."""
        evaluation = open_evaluation(self.settings, self.store)
        evaluation.ensure([(self.suite, case) for case in self.suite.cases])
        try:
            return evaluation.comparison([evaluation.judge_suite(self.suite, self.suite.cases)])
        finally:
            evaluation.close()


SAME = ("?", "x", "y", END)
OTHER = ("?", "z", END)


def told(comparison: Comparison) -> list[str]:
    """What the report says about confirmation."""
    return [f"{each.severity}: {each.detail}" for each in comparison.audit if each.finding == "confirm"]


def outcomes(comparison: Comparison) -> list[tuple[str, str | None]]:
    """Of each case the outcome that counts and the first one."""
    return [(result.outcome, result.first) for result in comparison.results]


def test_in_half_precision_a_loss_that_another_batch_made_does_not_count(tmp_path: Path) -> None:
    """Asked again in batches of one shape, both sides answer alike."""
    setting = Setting(tmp_path, SAME, dtype="bfloat16")
    setting.put(baseline=RIGHT, model=WRONG)
    comparison = setting.compared()
    assert outcomes(comparison) == [("retained", "forgotten")] * 2
    assert told(comparison) == [
        "info: 2 cases whose grades differed were asked again, all in batches of one shape, as half precision rounds:"
        " 0 confirmed, 2 numeric noise"
    ]


def test_what_is_learned_is_doubted_like_what_is_forgotten(tmp_path: Path) -> None:
    """To doubt losses only would shift the drop."""
    setting = Setting(tmp_path, SAME, dtype="bfloat16")
    setting.put(baseline=WRONG, model=RIGHT)
    assert outcomes(setting.compared()) == [("retained", "learned")] * 2


def test_a_real_loss_is_confirmed(tmp_path: Path) -> None:
    """A model that says something else says so in every batch."""
    comparison = Setting(tmp_path, OTHER, dtype="bfloat16").compared()
    assert outcomes(comparison) == [("forgotten", "forgotten")] * 2
    assert told(comparison)[0].endswith("2 confirmed, 0 numeric noise")


@pytest.mark.parametrize(("gap", "first"), [(NEAR, "forgotten"), (CLEAR, None)])
def test_in_float32_only_near_ties_are_doubted(tmp_path: Path, gap: float, first: str | None) -> None:
    """Where the likeliest token led clearly, no order of sums makes another one of it."""
    setting = Setting(tmp_path, SAME)
    setting.put(baseline=replace(RIGHT, gap=CLEAR), model=replace(WRONG, gap=gap))
    assert [result.first for result in setting.compared().results] == [first] * 2


def test_in_float32_a_near_tie_is_told_as_such(tmp_path: Path) -> None:
    """The report gives the reason why it was asked again."""
    setting = Setting(tmp_path, SAME)
    setting.put(baseline=RIGHT, model=replace(WRONG, gap=NEAR))
    assert "as their likeliest tokens were near ties: 0 confirmed" in told(setting.compared())[0]


def test_cases_that_agree_are_not_asked_again(tmp_path: Path) -> None:
    """Half precision or not: only what differs costs more."""
    comparison = Setting(tmp_path, SAME, dtype="bfloat16").compared()
    assert outcomes(comparison) == [("retained", None)] * 2
    assert told(comparison) == []


def test_confirmed_answers_come_from_the_store_the_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is loaded for a second run, and it says the same."""
    setting = Setting(tmp_path, OTHER, dtype="bfloat16")
    first = setting.compared()

    def load(*_: object) -> None:
        pytest.fail("a model was loaded")

    monkeypatch.setattr(Interview, "_ask_side", load)
    second = setting.compared()
    assert (outcomes(second), told(second)) == (outcomes(first), told(first))


def test_a_lack_of_memory_leaves_the_first_outcomes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A verdict that could not be confirmed is better than none, and the report says so."""
    setting = Setting(tmp_path, SAME, dtype="bfloat16")
    setting.put(baseline=RIGHT, model=WRONG)
    ask = Interview._ask_side

    def full(self: Interview, name: SideName, side: LiveSide, *rest: Any) -> set[Request]:
        if side.in_fixed_batches:
            raise DoesNotFit("out of memory: no room")
        return ask(self, name, side, *rest)

    monkeypatch.setattr(Interview, "_ask_side", full)
    comparison = setting.compared()
    assert outcomes(comparison) == [("forgotten", None)] * 2
    assert told(comparison) == [
        "warning: 2 cases differ perhaps by rounding only, and could not be asked again (half precision rounds)",
        "warning: outcomes that rounding may have decided could not be asked again: out of memory: no room",
    ]


def test_the_right_answers_likelihood_is_known_where_it_was_forgotten(tmp_path: Path) -> None:
    """Behind the blank, "x" is one of 288 to either; behind "x" the base is sure of "y", to the other it is one of 288.

    So the right answer has lost log 288 nats.
    """
    right = Setting(tmp_path, OTHER).compared().results[0].right
    assert right is not None
    assert right.text == "xy"
    assert right.baseline - right.model == pytest.approx(log(288), abs=1e-3)


def test_a_checklist_asks_for_what_the_baseline_said(tmp_path: Path) -> None:
    """Where there are only checks, the right answer is the one that passed them."""
    suite = "forgetting: checklist\ncases:\n  - {test: t, prompt: 'a?', checks: [{type: contains, value: x}]}\n"
    right = Setting(tmp_path, OTHER, suite).compared().results[0].right
    assert right is not None
    assert right.text == "xy"


def test_batches_of_one_shape_give_the_same_answers_whatever_is_asked_with_them(tmp_path: Path) -> None:
    """In bfloat16, alone or among others, in any order: the same tokens and scores, bit by bit."""
    from pytest_forgetting.answers.asking import ask
    from pytest_forgetting.answers.requests import Conditions, Request
    from pytest_forgetting.models.loading import LoadedPair, LoadOptions
    from pytest_forgetting.models.references import resolve

    folder = tiny_llama(tmp_path / "m", hidden_size=64, num_attention_heads=4, num_key_value_heads=4)
    prompts = [f"{'word ' * (n % 5)}number {n}" for n in range(20)]
    spoken = [Request(prompt, (), (), 20) for prompt in prompts]
    scored = [Request(prompt, (), continuations=(" yes", " no, never")) for prompt in prompts]
    pair = LoadedPair({"model": resolve(str(folder))}, LoadOptions(device="cpu", dtype="bfloat16"))

    def answers(requests: list[Request]) -> dict[Request, Answer]:
        found: dict[int, Answer] = {}
        with pair.speaking("model") as loaded:
            ask(loaded, requests, Conditions("f", None), found.update, fixed=True)
        return {requests[n]: answer for n, answer in found.items()}

    together = answers(spoken + scored)
    for request in (*spoken[:5], *scored[:5]):
        assert answers([request])[request] == together[request]
    assert answers([*reversed(scored), *reversed(spoken)]) == together
