"""What advice says, word for word: it is what somebody does next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import pytest

from pytest_forgetting.comparison.advice import recommend
from pytest_forgetting.comparison.causes import Cause
from pytest_forgetting.comparison.outcomes import Counts
from pytest_forgetting.comparison.symptoms import CategoryLoss, Symptoms

ADVICE = {
    "adapter-settings": (
        "lower the rate 3 to 10 times or the rank, and target the MLP layers rather than q and v;"
        " of other kinds, CorDA (knowledge-preserved) and OSF aim at forgetting"
        " (docs/mitigations.md#what-is-often-said-and-what-holds)"
    ),
    "end-of-text": (
        "end each training text with the end-of-text token, and pad with another one, as padding"
        " is masked out of the loss; or allow longer answers (max_new_tokens:)"
        " (docs/causes.md#what-to-do-about-each)"
    ),
    "ewc": (
        "if neither a lower rate nor replay is possible or enough: EWC, its strength swept"
        " (docs/mitigations.md#in-which-order-to-try)"
    ),
    "format": (
        "see that chat template and prompts are those of the tuning, ask again with a few"
        " examples in the prompt, train on 1 % rows in the form that is wanted, or freeze the"
        " bottom layers (FullFineTune(frozen=…)) (docs/causes.md#what-to-do-about-each)"
    ),
    "gate-again": (
        "run this gate again on each model you then make: pytest --model=NEW SUITES, a target"
        " suite among them (docs/mitigations.md#in-which-order-to-try)"
    ),
    "lower-rate": (
        "lower the learning rate 3 to 10 times, with no more passes than the domain then needs"
        " (docs/mitigations.md#in-which-order-to-try)"
    ),
    "numeric-noise": (
        "nothing is to be mended; --dtype float32 asks without rounding that tells"
        " (docs/causes.md#how-causes-are-told-apart)"
    ),
    "refusals": (
        "look for refusals in the training data, and mix in ordinary requests that the base"
        " answers itself (Replay) (docs/causes.md#what-to-do-about-each)"
    ),
    "replay": (
        "mix 5–10 % of text that the base writes itself into the training (Replay), or hold to"
        " the base by KLToBase (docs/mitigations.md#measured-the-demo-models)"
    ),
    "scale-adapter": (
        "before training anew, scale the adapter to 0.25, 0.5 and 0.75"
        " (peft.helpers.rescale_adapter_scale) or take out its intruder dimensions"
        " (peft.tuners.lora.intruders), and gate each, the target suite too"
        " (docs/mitigations.md#published-figures)"
    ),
    "targeted-replay": (
        "mix texts of the kind of “history” into the training (Replay(general=…)), 5–10 % of the"
        " mixture (docs/mitigations.md#in-which-order-to-try)"
    ),
}
HALF = Fraction(1, 2)


def shown(causes: Mapping[Cause, int], **more: object) -> Symptoms:
    """Symptoms of 100 cases of one category, of which the baseline knew 80 and the model kept 60."""
    plain = Symptoms(
        Counts(retained=60, forgotten=20, unknown=20), causes, 0, (), 1, (HALF, HALF), None, False, None, (), None
    )
    return replace(plain, **more)  # type: ignore[arg-type]  # fields of several types


def rules(symptoms: Symptoms) -> list[str]:
    """Which rules spoke, in order."""
    return [each.rule for each in recommend(symptoms)]


LITTLE_LEFT = Counts(retained=39, forgotten=41, unknown=20)
FORM: dict[Cause, int] = {"format": 1, "unfinished": 1, "refusal": 1}
LOST_MATH = (CategoryLoss("history", 3, Fraction(3, 4), Fraction(1, 4)),)


@pytest.mark.parametrize(
    ("symptoms", "told"),
    [
        (shown({"knowledge": 4}, counts=LITTLE_LEFT), ["lower-rate", "replay", "ewc", "gate-again"]),
        (shown({"knowledge": 4}, adapter=True), ["scale-adapter", "adapter-settings", "replay", "gate-again"]),
        (shown(FORM), ["format", "end-of-text", "refusals", "gate-again"]),
        (shown({}, false_alarms=1), ["numeric-noise"]),
        (shown({"knowledge": 4}, categories=LOST_MATH), ["lower-rate", "targeted-replay", "gate-again"]),
    ],
)
def test_advice_is_told_word_for_word(symptoms: Symptoms, told: list[str]) -> None:
    """With the page that says more."""
    found = recommend(symptoms)
    assert [each.rule for each in found] == told
    assert [each.advice for each in found] == [ADVICE[rule] for rule in told]


@pytest.mark.parametrize(
    ("symptoms", "rule", "because"),
    [
        (
            shown({"format": 1, "empty": 2, "knowledge": 1}),
            "format",
            "3 of 4 losses (1 format, 2 empty) in form only; wrong form in 50.0 % of the baseline's answers,"
            " 50.0 % of the model's",
        ),
        (
            shown({"format": 1}, right_answers=(-1.0, -2.5), wrong_form=(Fraction(0), Fraction(1, 4))),
            "format",
            "1 of 1 losses (1 format) in form only; wrong form in 0.0 % of the baseline's answers, 25.0 % of the"
            " model's; right answers −1.0 → −2.5 nats (median)",
        ),
        (shown({"repetition": 2}), "end-of-text", "2 of 2 losses (2 repetition)"),
        (shown({"refusal": 2}), "refusals", "2 of 2 losses (2 refusal)"),
        (
            shown({"knowledge": 1}, adapter=True),
            "scale-adapter",
            "the adapter kept 75.0 % of what its base knew; the drop is 20 pts",
        ),
        (shown({"knowledge": 2, "refusal": 1}), "lower-rate", "2 of 3 losses are knowledge"),
        (
            shown({"knowledge": 2}, divergence=0.25, asked_categories=3, categories=LOST_MATH),
            "lower-rate",
            "2 of 2 losses are knowledge, in 1 of 3 categories; KL 0.25 nats a token on general text",
        ),
        (shown({}, increases=(0.2, 0.05)), "replay", "cross-entropy +20.0 %; cross-entropy +5.0 %"),
        (
            shown({"knowledge": 4}, categories=LOST_MATH),
            "targeted-replay",
            "3 of 4 losses of knowledge are in history, which has 25.0 % of the cases",
        ),
        (
            shown({"knowledge": 4}, counts=Counts(retained=1, forgotten=5, unknown=3)),
            "ewc",
            "4 of 4 losses are knowledge; the drop is 55.6 pts",
        ),
        (shown({}, false_alarms=1), "numeric-noise", "1 case looked forgotten, but not when asked again"),
        (shown({}, false_alarms=2), "numeric-noise", "2 cases looked forgotten, but not when asked again"),
        (
            shown({"refusal": 2}),
            "gate-again",
            "no suite of role: target was asked, so that nothing is known of what was learned",
        ),
        (
            shown({"refusal": 2}, target=(Fraction(1, 10), Fraction(9, 10))),
            "gate-again",
            "what is kept counts beside what is learned: 10.0 % → 90.0 % in the target suites",
        ),
    ],
)
def test_the_reason_is_told_in_the_runs_own_numbers(symptoms: Symptoms, rule: str, because: str) -> None:
    """Each loss by its cause, shares with a decimal, likelihoods in nats."""
    assert {each.rule: each.because for each in recommend(symptoms)}[rule] == because


@pytest.mark.parametrize(("refusals", "told"), [(1, True), (0, False)])
def test_a_quarter_of_the_losses_is_worth_a_word(refusals: int, told: bool) -> None:
    """One of four; a cause that no loss has is not."""
    assert ("refusals" in rules(shown({"knowledge": 3, "refusal": refusals}))) is told
    assert "refusals" not in rules(shown({"knowledge": 4, "refusal": 1}))


def test_empty_answers_are_a_matter_of_form() -> None:
    """By themselves too."""
    assert rules(shown({"empty": 2})) == ["format", "gate-again"]


def test_a_model_that_kept_half_is_not_told_of_ewc() -> None:
    """Its sweep is worth it where less is left."""
    kept_half = Counts(retained=40, forgotten=40, unknown=20)
    assert rules(shown({"knowledge": 4}, counts=kept_half)) == ["lower-rate", "replay", "gate-again"]


def test_two_categories_are_several() -> None:
    """Of one alone it goes without saying."""
    told = recommend(shown({"knowledge": 2}, asked_categories=2, categories=LOST_MATH))[0].because
    assert told == "2 of 2 losses are knowledge, in 1 of 2 categories"


def test_noise_is_no_loss() -> None:
    """Three of four cases that asking again changed leave one refusal of one loss."""
    symptoms = shown({"numeric noise": 9, "refusal": 1})
    assert symptoms.forgotten == 1
    assert rules(symptoms)[0] == "refusals"


@pytest.mark.parametrize(("kept", "scaled"), [(40, True), (39, False)])
def test_an_adapter_is_scaled_where_it_kept_half(kept: int, scaled: bool) -> None:
    """Half is enough; below, EWC comes into question."""
    found = rules(shown({"knowledge": 4}, adapter=True, counts=Counts(kept, 80 - kept, unknown=20)))
    assert ("scale-adapter" in found) is scaled
    assert ("ewc" in found) is not scaled
    nothing_known = shown({"knowledge": 4}, adapter=True, counts=Counts(unknown=20))
    assert rules(nothing_known) == ["adapter-settings", "replay", "ewc", "gate-again"]


@pytest.mark.parametrize(("divergence", "lowered"), [(0.0999, False), (0.1, True), (None, True)])
def test_a_tenth_of_a_nat_is_far(divergence: float | None, lowered: bool) -> None:
    """A model nearer to its base has no rate to lower; where nothing is known, the rate is the first thing."""
    assert ("lower-rate" in rules(shown({"knowledge": 4}, divergence=divergence))) is lowered


@pytest.mark.parametrize(
    ("lost", "share", "of_cases", "targeted"),
    [
        (3, Fraction(3, 4), Fraction(3, 8), True),
        (2, Fraction(3, 4), Fraction(3, 8), False),
        (3, Fraction(1, 2), Fraction(1, 8), False),
        (3, Fraction(3, 4), Fraction(4, 10), False),
    ],
)
def test_where_losses_are_concentrated(lost: int, share: Fraction, of_cases: Fraction, targeted: bool) -> None:
    """Three of them, more than half of all, and twice what the category's size explains."""
    symptoms = shown({"knowledge": 4}, categories=(CategoryLoss("history", lost, share, of_cases),))
    assert ("targeted-replay" in rules(symptoms)) is targeted
    assert ("replay" in rules(symptoms)) is not targeted
