"""From symptoms to advice: what to try next, the cheapest first, each with the run's own numbers."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from pytest_forgetting.comparison.causes import Cause
from pytest_forgetting.comparison.comparison import Recommendation
from pytest_forgetting.comparison.formatting import growth, nats, percent, points
from pytest_forgetting.comparison.symptoms import CategoryLoss, Symptoms

__all__ = ["Recommendation", "recommend"]

MOST = 3
"""Recommendations of a run, beside the one to run the gate again."""
TELLING = Fraction(1, 4)
"""Of the forgotten cases: a cause behind fewer of them is not what to begin with."""
MODERATE = Fraction(1, 2)
"""Share of what the baseline knew: an adapter that kept as much is worth scaling down, and EWC not worth its sweep."""
HIGH_DIVERGENCE = 0.1
"""Nats per token on general text. In PEFT's comparison (docs/mitigations.md, published figures) most methods forget
0.02 to 0.06; those that forget much lie at 0.1 and above."""
CONCENTRATED = Fraction(1, 2)
"""Of the knowledge lost: a category with more, and with at most half that share of the cases, is the place to mend."""
FEWEST = 3
"""Losses of a category that tell anything of it."""

_ORDER = "docs/mitigations.md#in-which-order-to-try"
_SAID = "docs/mitigations.md#what-is-often-said-and-what-holds"
_PUBLISHED = "docs/mitigations.md#published-figures"
_MEASURED = "docs/mitigations.md#measured-the-demo-models"
_FORM = "docs/causes.md#what-to-do-about-each"


def recommend(symptoms: Symptoms) -> tuple[Recommendation, ...]:
    """What to try next, at most three things, the cheapest first; last, how to see whether it helped.

    Nothing where nothing was forgotten, except a note where losses turned out to be rounding.
    """
    if not symptoms.forgotten and not symptoms.increases:
        return (_noise(symptoms),) if symptoms.false_alarms else ()
    found = [advice for rule in RULES if (advice := rule(symptoms)) is not None]
    return (*found[:MOST], _gate_again(symptoms))


def _format(symptoms: Symptoms) -> Recommendation | None:
    if not _telling(symptoms, "format", "empty"):
        return None
    advice = (
        "see that chat template and prompts are those of the tuning, ask again with a few examples in the prompt,"
        " train on 1 % rows in the form that is wanted, or freeze the bottom layers (FullFineTune(frozen=…))"
    )
    had, has = symptoms.wrong_form
    because = (
        f"{_of_losses(symptoms, 'format', 'empty')} in form only;"
        f" wrong form in {percent(had)} of the baseline's answers, {percent(has)} of the model's"
    )
    if symptoms.right_answers is not None:
        because += "; right answers {} → {} nats (median)".format(*map(nats, symptoms.right_answers))
    return _recommended("format", advice, because, _FORM)


def _end_of_text(symptoms: Symptoms) -> Recommendation | None:
    if not _telling(symptoms, "unfinished", "repetition"):
        return None
    advice = (
        "end each training text with the end-of-text token, and pad with another one, as padding is masked out of the"
        " loss; or allow longer answers (max_new_tokens:)"
    )
    return _recommended("end-of-text", advice, _of_losses(symptoms, "unfinished", "repetition"), _FORM)


def _refusals(symptoms: Symptoms) -> Recommendation | None:
    if not _telling(symptoms, "refusal"):
        return None
    advice = (
        "look for refusals in the training data, and mix in ordinary requests that the base answers itself (Replay)"
    )
    return _recommended("refusals", advice, _of_losses(symptoms, "refusal"), _FORM)


def _scale_adapter(symptoms: Symptoms) -> Recommendation | None:
    kept = symptoms.counts.retention
    if not symptoms.adapter or kept is None or kept < MODERATE:
        return None
    advice = (
        "before training anew, scale the adapter to 0.25, 0.5 and 0.75 (peft.helpers.rescale_adapter_scale) or take out"
        " its intruder dimensions (peft.tuners.lora.intruders), and gate each, the target suite too"
    )
    because = f"the adapter kept {percent(kept)} of what its base knew; the drop is {_drop(symptoms)}"
    return _recommended("scale-adapter", advice, because, _PUBLISHED)


def _lower_rate(symptoms: Symptoms) -> Recommendation | None:
    divergence = symptoms.divergence
    near = divergence is not None and divergence < HIGH_DIVERGENCE
    if near or not _knowledge(symptoms):
        return None
    because = _knowledge_lost(symptoms)
    if divergence is not None:
        because += f"; KL {divergence:.2f} nats a token on general text"
    if symptoms.adapter:
        advice = (
            "lower the rate 3 to 10 times or the rank, and target the MLP layers rather than q and v; of other kinds,"
            " CorDA (knowledge-preserved) and OSF aim at forgetting"
        )
        return _recommended("adapter-settings", advice, because, _SAID)
    advice = "lower the learning rate 3 to 10 times, with no more passes than the domain then needs"
    return _recommended("lower-rate", advice, because, _ORDER)


def _replay(symptoms: Symptoms) -> Recommendation | None:
    if not _knowledge(symptoms):
        return None
    first = symptoms.categories[0] if symptoms.categories else None
    if first is not None and _concentrated(first):
        advice = f"mix texts of the kind of “{first.name}” into the training (Replay(general=…)), 5–10 % of the mixture"
        because = f"{first.lost} of {symptoms.causes['knowledge']} losses of knowledge are in {first.name}"
        because += f", which has {percent(first.of_cases)} of the cases"
        return _recommended("targeted-replay", advice, because, _ORDER)
    advice = (
        "mix 5–10 % of text that the base writes itself into the training (Replay), or hold to the base by KLToBase"
    )
    return _recommended("replay", advice, _knowledge_lost(symptoms), _MEASURED)


def _concentrated(loss: CategoryLoss) -> bool:
    return loss.lost >= FEWEST and loss.share > CONCENTRATED and loss.share >= 2 * loss.of_cases


def _ewc(symptoms: Symptoms) -> Recommendation | None:
    kept = symptoms.counts.retention
    if not _knowledge(symptoms) or (kept is not None and kept >= MODERATE):
        return None
    advice = "if neither a lower rate nor replay is possible or enough: EWC, its strength swept"
    because = f"{_knowledge_lost(symptoms)}; the drop is {_drop(symptoms)}"
    return _recommended("ewc", advice, because, _ORDER)


RULES: tuple[Callable[[Symptoms], Recommendation | None], ...] = (
    _format,
    _end_of_text,
    _refusals,
    _scale_adapter,
    _lower_rate,
    _replay,
    _ewc,
)
"""The cheapest first."""


def _noise(symptoms: Symptoms) -> Recommendation:
    cases = symptoms.false_alarms
    because = f"{cases} case{'s' * (cases != 1)} looked forgotten, but not when asked again"
    advice = "nothing is to be mended; --dtype float32 asks without rounding that tells"
    return _recommended("numeric-noise", advice, because, "docs/causes.md#how-causes-are-told-apart")


def _gate_again(symptoms: Symptoms) -> Recommendation:
    if symptoms.target is None:
        because = "no suite of role: target was asked, so that nothing is known of what was learned"
    else:
        because = "what is kept counts beside what is learned: {} → {} in the target suites".format(
            *map(percent, symptoms.target)
        )
    advice = "run this gate again on each model you then make: pytest --model=NEW SUITES, a target suite among them"
    return _recommended("gate-again", advice, because, _ORDER)


def _recommended(rule: str, advice: str, because: str, link: str) -> Recommendation:
    return Recommendation(rule, f"{advice} ({link})", because)


def _telling(symptoms: Symptoms, *causes: Cause) -> bool:
    cases = sum(symptoms.causes.get(cause, 0) for cause in causes)
    return cases > 0 and cases >= TELLING * symptoms.forgotten


def _knowledge(symptoms: Symptoms) -> bool:
    return _telling(symptoms, "knowledge") or bool(symptoms.increases)


def _of_losses(symptoms: Symptoms, *causes: Cause) -> str:
    """``5 of 12 losses (4 format, 1 empty)``."""
    named = [f"{symptoms.causes[cause]} {cause}" for cause in causes if symptoms.causes.get(cause)]
    cases = sum(symptoms.causes.get(cause, 0) for cause in causes)
    return f"{cases} of {symptoms.forgotten} losses ({', '.join(named)})"


def _knowledge_lost(symptoms: Symptoms) -> str:
    told = []
    if symptoms.causes.get("knowledge"):
        spread = f", in {len(symptoms.categories)} of {symptoms.asked_categories} categories"
        told.append(
            f"{symptoms.causes['knowledge']} of {symptoms.forgotten} losses are knowledge"
            + spread * (symptoms.asked_categories > 1)
        )
    told += [f"cross-entropy {growth(increase)}" for increase in symptoms.increases]
    return "; ".join(told)


def _drop(symptoms: Symptoms) -> str:
    return points(round(symptoms.counts.drop, 3))
