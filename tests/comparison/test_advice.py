"""What is advised for which symptoms, with which numbers."""

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from pytest_forgetting.comparison.advice import MOST, recommend
from pytest_forgetting.comparison.comparison import Recommendation
from pytest_forgetting.comparison.judge import Judge
from pytest_forgetting.comparison.outcomes import CaseResult, Graded
from pytest_forgetting.comparison.scopes import SuiteResult
from pytest_forgetting.comparison.symptoms import Symptoms, symptoms_of
from pytest_forgetting.suites.cases import Case, GatePolicy, Prompt, Suite
from tests.comparison.lost import forgotten, in_category, learned, retained, suite_of

ROOT = Path(__file__).parents[2]
KEPT = [retained()] * 12
LOST = [in_category(forgotten("Rome"), name) for name in ("history", "geography", "science", "history")]
REFUSED = forgotten("I'm sorry, but I can't help with that.")


def texts(before: float, now: float, kl: float | None, allowed: Fraction | None = None) -> SuiteResult:
    """A suite of two texts of ten bytes, their losses in nats under both models, and how far the models diverge."""
    case = Case("t", "general", Prompt("", (), continuations=("ten bytes.",)), measured=True)
    had, has = (Graded("", "scored", False, loglikelihoods=(-loss,)) for loss in (before, now))
    results = [CaseResult(case, "", had, has, None if kl is None else kl * 5, 5)] * 2
    suite = Suite(Path("t.yaml"), "Texts", "text", (case, case), gate=GatePolicy(max_increase=allowed))
    return Judge().suite(suite, results)


def advised(*suites: SuiteResult, adapter: bool = False) -> dict[str, Recommendation]:
    """What is recommended, by rule, in order."""
    return {each.rule: each for each in recommend(symptoms_of(suites, adapter=adapter))}


def general(*lost: CaseResult, kept: Sequence[CaseResult] = KEPT) -> SuiteResult:
    """A general suite with these losses."""
    return suite_of([*lost, *kept])


def test_nothing_is_advised_where_nothing_was_forgotten() -> None:
    """Cases learned, or never known, call for nothing."""
    assert advised(general(), suite_of([learned()] * 3, "target")) == {}
    assert advised() == {}


def test_losses_that_were_rounding_get_a_note() -> None:
    """And no advice on training."""
    found = advised(general(replace(retained(), first="forgotten")))
    assert list(found) == ["numeric-noise"]
    assert found["numeric-noise"].because == "1 case looked forgotten, but not when asked again"


def test_what_looked_learned_calls_for_no_note() -> None:
    """Only losses do."""
    assert advised(general(replace(retained(), first="learned"))) == {}


def test_spread_losses_of_knowledge_ask_for_a_lower_rate_and_replay() -> None:
    """The cheapest first, with the number of cases and categories."""
    found = advised(general(*LOST, kept=[*KEPT, retained("language")]))
    assert list(found) == ["lower-rate", "replay", "gate-again"]
    assert found["replay"].because == "4 of 4 losses are knowledge, in 3 of 4 categories"
    assert "5–10 %" in found["replay"].advice


def test_a_loss_in_one_category_asks_for_replay_of_that() -> None:
    """Where it has more of the losses than its size explains."""
    found = advised(general(*[in_category(forgotten("Rome"), "history")] * 3, forgotten("Rome")))
    assert (
        found["targeted-replay"].because == "3 of 4 losses of knowledge are in history, which has 18.8 % of the cases"
    )
    assert "“history”" in found["targeted-replay"].advice
    assert "replay" not in found


def test_two_losses_tell_nothing_of_a_category() -> None:
    """They may be there by chance."""
    assert "targeted-replay" not in advised(general(*[in_category(forgotten("Rome"), "history")] * 2))


def test_the_only_category_is_not_singled_out() -> None:
    """Having all the losses, it has all the cases too."""
    found = advised(general(forgotten("Rome"), forgotten("Oslo")))
    assert found["replay"].because == "2 of 2 losses are knowledge"


def test_categories_of_two_suites_are_not_mixed_up() -> None:
    """Both have a category of that name, and one of them lost."""
    found = advised(suite_of([*LOST[1:2] * 3, *KEPT[:2]]), suite_of(KEPT, name="Others"))
    assert found["targeted-replay"].because.startswith("3 of 3 losses of knowledge are in Capitals: geography")


def test_ewc_comes_last_and_where_little_is_left() -> None:
    """With the drop; where half is kept there are cheaper things."""
    found = advised(general(*LOST * 4))
    assert list(found) == ["lower-rate", "replay", "ewc", "gate-again"]
    assert found["ewc"].because.endswith("; the drop is 57.1 pts")


def test_losses_of_form_ask_for_template_and_form_first() -> None:
    """With both models' rates, and what the right answers' likelihoods say."""
    kept = forgotten("It lies on the Seine", right=(-2.1, -2.3))
    found = advised(general(kept, forgotten("París"), forgotten(""), forgotten("Rome")))
    assert next(iter(found)) == "format"
    assert found["format"].because == (
        "3 of 4 losses (2 format, 1 empty) in form only; wrong form in 0.0 % of the baseline's answers, 12.5 % of the"
        " model's; right answers −2.1 → −2.3 nats (median)"
    )


def test_answers_that_never_end_ask_for_the_end_of_text_token() -> None:
    """Unfinished ones and loops."""
    found = advised(general(forgotten("Rome is the capital of", "length"), forgotten("no " * 9, "length")))
    assert list(found) == ["end-of-text", "gate-again"]
    assert found["end-of-text"].because == "2 of 2 losses (1 unfinished, 1 repetition)"


def test_refusals_ask_for_a_look_at_the_data() -> None:
    """And for ordinary requests to be mixed in."""
    found = advised(general(REFUSED, REFUSED))
    assert list(found) == ["refusals", "gate-again"]
    assert found["refusals"].because == "2 of 2 losses (2 refusal)"


def test_rare_causes_are_not_what_to_begin_with() -> None:
    """One refusal among eight losses of knowledge."""
    assert "refusals" not in advised(general(REFUSED, *LOST * 2))


def test_an_adapter_with_a_moderate_drop_is_scaled_first() -> None:
    """That costs no training; the numbers are what it kept and the drop."""
    found = advised(general(*LOST), adapter=True)
    assert list(found) == ["scale-adapter", "adapter-settings", "replay", "gate-again"]
    assert found["scale-adapter"].because == "the adapter kept 75.0 % of what its base knew; the drop is 25 pts"


def test_an_adapter_that_lost_nearly_all_is_not_worth_scaling() -> None:
    """It is to be trained otherwise."""
    assert next(iter(advised(general(*LOST * 8), adapter=True))) == "adapter-settings"


def test_a_full_fine_tune_has_no_adapter_to_scale() -> None:
    """However moderate its drop is."""
    assert "scale-adapter" not in advised(general(*LOST))


def test_models_that_hardly_diverge_are_not_told_to_lower_the_rate() -> None:
    """KL of 0.05 nats a token on general text is usual; 0.4 is not, and is cited."""
    assert "lower-rate" not in advised(general(*LOST), texts(20, 20.1, 0.05))
    assert advised(general(*LOST), texts(20, 24, 0.4))["lower-rate"].because.endswith(
        "; KL 0.40 nats a token on general text"
    )


def test_texts_that_lost_too_much_are_a_loss_without_a_forgotten_case() -> None:
    """Where the suite's limit was passed."""
    found = advised(texts(20, 24, 0.4, allowed=Fraction(1, 10)))
    assert found["lower-rate"].because == "cross-entropy +20.0 %; KL 0.40 nats a token on general text"
    assert advised(texts(20, 21, 0.4, allowed=Fraction(1, 10))) == {}


def test_the_last_one_says_how_to_see_whether_it_helped() -> None:
    """With what was learned, where a target suite tells."""
    unknown, known = advised(general(*LOST)), advised(general(*LOST), suite_of([learned()] * 4, "target"))
    assert list(unknown)[-1] == list(known)[-1] == "gate-again"
    assert "no suite of role: target" in unknown["gate-again"].because
    assert "0.0 % → 100.0 %" in known["gate-again"].because
    assert "pytest --model=" in known["gate-again"].advice


def test_losses_in_target_suites_are_no_forgetting() -> None:
    """They are to improve, and their own gate says whether they did."""
    assert advised(suite_of([*LOST, *KEPT], "target")) == {}


EVERYTHING = general(*[forgotten("")] * 4, *[REFUSED] * 4, *[forgotten("Rome and", "length")] * 4, *LOST, kept=[])


@pytest.mark.parametrize("adapter", [False, True])
def test_few_things_are_advised_at_once(adapter: bool) -> None:
    """Whatever went wrong."""
    assert len(advised(EVERYTHING, adapter=adapter)) == MOST + 1


def test_an_adapter_is_never_told_to_be_one() -> None:
    """Nobody who tuned with LoRA is advised to switch to it."""
    for lost in (LOST, LOST * 8, [REFUSED], [forgotten("")]):
        for each in recommend(symptoms_of([general(*lost)], adapter=True)):
            assert not re.search(r"\b(use|switch to|try) (a )?(Q?LoRA|adapter)", each.advice, re.IGNORECASE)


def test_all_advice_cites_the_run_and_leads_on() -> None:
    """Each has a number of the run, and a link to a heading that there is."""
    runs = [general(*LOST * 4), general(*LOST), EVERYTHING, general(replace(retained(), first="forgotten"))]
    runs += [general(*[in_category(forgotten("Rome"), "history")] * 3), general(REFUSED)]
    for symptoms in (symptoms_of([run], adapter=adapter) for run in runs for adapter in (False, True)):
        for each in recommend(symptoms):
            assert re.search(r"\d", each.because) or each.rule == "gate-again"
            assert_leads_on(each)


def assert_leads_on(each: Recommendation) -> None:
    """The link at the advice's end names a file and a heading in it."""
    link = re.search(r"\((docs/\w+\.md)#([\w-]+)\)$", each.advice)
    assert link, each.advice
    headings = re.findall(r"^#+ (.*)$", (ROOT / link[1]).read_text(encoding="utf-8"), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert link[2] in anchors


def test_symptoms_count_what_the_run_shows() -> None:
    """Causes, categories with their shares, and false alarms."""
    run = general(*LOST, REFUSED, replace(retained(), first="forgotten"))
    found: Symptoms = symptoms_of([run], adapter=False)
    assert found.causes == {"knowledge": 4, "refusal": 1, "numeric noise": 1}
    assert found.forgotten == 5
    assert [(each.name, each.lost, each.share) for each in found.categories] == [
        ("history", 2, Fraction(1, 2)),
        ("geography", 1, Fraction(1, 4)),
        ("science", 1, Fraction(1, 4)),
    ]
    assert (found.asked_categories, found.false_alarms) == (3, 1)
