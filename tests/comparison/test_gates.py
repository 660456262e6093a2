"""Thresholds, the floor, and what an undecided gate does."""

from dataclasses import replace
from fractions import Fraction
from typing import Literal

import pytest

from pytest_forgetting.comparison.comparison import blocks, decide
from pytest_forgetting.comparison.gates import Evidence, Ruling, Threshold, rule, weigh
from pytest_forgetting.comparison.outcomes import Counts
from pytest_forgetting.settings import Rule

TENTH = Threshold(Fraction(1, 10))


@pytest.mark.parametrize(("had", "has"), [(8, 7), (9, 8), (7, 6)])
def test_a_drop_equal_to_the_threshold_passes(had: int, has: int) -> None:
    """8 of 10 against 7 of 10 is a drop of exactly one tenth, which floats would flag."""
    counts = Counts(retained=has, forgotten=had - has, unknown=10 - had)
    assert counts.drop == Fraction(1, 10)
    assert rule(counts, TENTH).verdict == "pass"


def test_a_drop_beyond_the_threshold_fails() -> None:
    """One case more than allowed is red."""
    ruling = rule(Counts(retained=88, forgotten=12, learned=1), TENTH)
    assert (ruling.verdict, ruling.because) == ("fail", "> 10 pts")


def test_gains_are_subtracted_from_losses() -> None:
    """The gate is about the drop; learned cases count against forgotten ones."""
    assert rule(Counts(retained=80, forgotten=15, learned=5), TENTH).verdict == "pass"


def test_a_baseline_at_the_floor_is_inconclusive() -> None:
    """A baseline that knows no more than may be lost can never show a loss."""
    ruling = rule(Counts(forgotten=10, unknown=90), TENTH)
    assert ruling.verdict == "inconclusive"
    assert ruling.because == "the baseline does not know this: nothing to forget"
    assert not ruling.measured


def test_more_than_two_percent_unanswered_is_inconclusive() -> None:
    """Two of a hundred may go unanswered, three may not."""
    assert rule(Counts(retained=98, unanswered=2), TENTH).verdict == "pass"
    assert rule(Counts(retained=97, unanswered=3), TENTH).verdict == "inconclusive"


def test_what_is_lost_whatever_went_unanswered_fails() -> None:
    """Silence hides no loss: only what it could make up for is undecided."""
    lost = rule(Counts(retained=70, forgotten=27, unanswered=3), TENTH)
    assert (lost.verdict, lost.because) == ("fail", "> 10 pts, whatever becomes of 3 of 100 cases unanswered")
    assert rule(Counts(retained=84, forgotten=13, unanswered=3), TENTH).verdict == "inconclusive"
    assert rule(Counts(retained=83, forgotten=14, unanswered=3), TENTH).verdict == "fail"
    assert rule(Counts(retained=70, forgotten=20, learned=7, unanswered=3), TENTH).verdict == "inconclusive"
    unknown = Counts(forgotten=5, unknown=60, unanswered=35)
    assert rule(unknown, TENTH).verdict == "inconclusive"


def test_nothing_answered_is_not_measured() -> None:
    """A scope without answers proves nothing."""
    ruling = rule(Counts(unanswered=5), TENTH)
    assert (ruling.verdict, ruling.measured) == ("inconclusive", False)


def test_an_adapter_without_effect_is_not_measured() -> None:
    """Comparing the baseline with itself under another name is no pass."""
    ruling = rule(Counts(retained=100), TENTH, adapter_inert=True)
    assert (ruling.verdict, ruling.measured) == ("inconclusive", False)


@pytest.mark.parametrize(("learned", "verdict"), [(30, "pass"), (29, "fail")])
def test_a_target_suite_must_gain(learned: int, verdict: str) -> None:
    """`min_gain` is reached exactly, or it is not."""
    ruling = rule(Counts(learned=learned, unknown=100 - learned), Threshold(Fraction(1, 10), min_gain=Fraction(3, 10)))
    assert ruling.verdict == verdict


def test_retention_may_be_asked_for() -> None:
    """A suite whose gains hide its losses fails by `min_retention`."""
    counts = Counts(retained=40, forgotten=10, learned=10, unknown=40)
    assert rule(counts, TENTH).verdict == "pass"
    strict = rule(counts, Threshold(Fraction(1, 10), min_retention=Fraction(9, 10)))
    assert (strict.verdict, strict.because) == ("fail", "retention 80.0 % < 90.0 %")


def test_evidence_says_how_many_more_cases_would_do() -> None:
    """At the same rates, the number named would prove the pass, and one less would not."""
    counts = Counts(retained=20)
    evidence = weigh(counts, Fraction(1, 10), 0.95)
    assert evidence is not None
    assert not evidence.proven
    needed = evidence.cases_needed
    assert needed is not None
    enough = weigh(Counts(retained=20 + needed), Fraction(1, 10), 0.95)
    short = weigh(Counts(retained=20 + needed - 1), Fraction(1, 10), 0.95)
    assert enough is not None
    assert enough.proven
    assert short is not None
    assert not short.proven


def ruled(name: Rule, counts: Counts, **asked: Fraction) -> Ruling:
    """The ruling under `name` at 95 %."""
    # Fields of several types.
    threshold = replace(Threshold(Fraction(1, 10), rule=name), **asked)  # type: ignore[arg-type]
    return rule(counts, threshold, weigh(counts, threshold.allowed, 0.95))


@pytest.mark.parametrize(
    ("counts", "threshold", "significant", "proven"),
    [
        (Counts(retained=95, forgotten=5), "pass", "pass", "pass"),
        (Counts(retained=94, forgotten=6), "pass", "inconclusive", "fail"),
        (Counts(retained=18, forgotten=2), "pass", "inconclusive", "fail"),
        (Counts(retained=17, forgotten=3), "fail", "inconclusive", "fail"),
        (Counts(retained=80, forgotten=20), "fail", "fail", "fail"),
        (Counts(forgotten=10, unknown=90), "inconclusive", "inconclusive", "inconclusive"),
    ],
    ids=["proven", "likely", "few cases", "few losses", "lost", "floor"],
)
def test_three_rules(counts: Counts, threshold: str, significant: str, proven: str) -> None:
    """One looks at the drop, one is red where chance is ruled out, one green where a loss is; the floor is all's."""
    verdicts = [ruled(name, counts).verdict for name in ("threshold", "significant", "proven")]
    assert verdicts == [threshold, significant, proven]


def test_what_is_proven_or_not_is_told_beside_the_threshold() -> None:
    """With no word of chance."""
    assert ruled("significant", Counts(retained=95, forgotten=5)) == Ruling("pass", "≤ 10 pts")
    assert ruled("significant", Counts(retained=94, forgotten=6)) == Ruling("inconclusive", "≤ 10 pts")
    assert ruled("proven", Counts(retained=94, forgotten=6)) == Ruling("fail", "≤ 10 pts")


def test_what_may_be_chance_is_told() -> None:
    """Beyond the threshold and undecided."""
    assert ruled("significant", Counts(retained=17, forgotten=3)).because == "> 10 pts, which may be chance"


@pytest.mark.parametrize(("learned", "verdict"), [(40, "pass"), (31, "inconclusive"), (5, "fail")])
def test_a_gain_is_proven_or_shown_to_be_missing(learned: int, verdict: str) -> None:
    """Target suites under `significant` are held to their gain on both sides."""
    counts = Counts(learned=learned, unknown=100 - learned)
    assert ruled("significant", counts, min_gain=Fraction(3, 10)).verdict == verdict


def test_a_drop_at_the_threshold_needs_no_end_of_cases() -> None:
    """7 of 70 lost, with a tenth allowed: no number of cases at that rate would tell, and none is named."""
    evidence = weigh(Counts(retained=63, forgotten=7), Fraction(1, 10), 0.95)
    assert evidence is not None
    assert (evidence.proven, evidence.cases_needed) == (False, None)


def test_cases_that_hang_together_weigh_less() -> None:
    """Ten clusters of ten that are lost as a whole tell as little as ten cases do."""
    counts = Counts(retained=80, forgotten=20)
    alone = weigh(counts, Fraction(0), 0.95)
    together = weigh(counts, Fraction(0), 0.95, [[1] * 10] * 2 + [[0] * 10] * 8)
    assert alone is not None
    assert together is not None
    assert alone.significant
    assert not together.significant
    assert together.low < alone.low


@pytest.mark.parametrize(
    ("measured", "setting", "decided", "red"),
    [
        (True, "warn", True, False),
        (True, "warn", False, True),
        (False, "warn", True, True),
        (True, "fail", True, True),
        (False, "pass", False, False),
    ],
)
def test_what_an_inconclusive_gate_does(
    measured: bool, setting: Literal["warn", "fail", "pass"], decided: bool, red: bool
) -> None:
    """Under `warn` it leaves the exit code alone, except at the floor and where nothing else could decide."""
    assert blocks(Ruling("inconclusive", "", measured), setting, general_decided=decided) is red


def test_one_failing_case_decides_the_run() -> None:
    """A critical case fails the run whatever the gates say; an undecided gate keeps it from passing."""
    passing, undecided = Ruling("pass", ""), Ruling("inconclusive", "")
    assert decide([passing], 0) == "pass"
    assert decide([passing, undecided], 0) == "inconclusive"
    assert decide([passing], 1) == "fail"


@pytest.mark.parametrize(
    ("needed", "proven", "words"),
    [
        (None, True, "proven"),
        (None, False, "not proven"),
        (1, False, "not proven: about 1 more case would settle it"),
        (12, False, "not proven: about 12 more cases would settle it"),
    ],
)
def test_evidence_is_told_in_words(needed: int | None, proven: bool, words: str) -> None:
    """What is missing is counted in cases."""
    assert Evidence(0.0, 0.1, 0.5, proven, needed).words == words


def test_unanswered_cases_are_told_with_the_limit() -> None:
    """Their counts are beside the point, so that no evidence is shown."""
    assert rule(Counts(retained=97, unanswered=3), TENTH) == Ruling(
        "inconclusive", "3 of 100 cases unanswered, more than 2 %", weighed=False
    )
    assert rule(Counts(unanswered=5), TENTH).because == "none of 5 cases was answered by both"
    assert rule(Counts(), TENTH).because == "no cases"


def test_an_inert_adapter_is_told() -> None:
    """Before anything is counted."""
    assert rule(Counts(), TENTH, adapter_inert=True) == Ruling(
        "inconclusive",
        "the adapter changes nothing: the baseline was compared with itself",
        measured=False,
        weighed=False,
    )


def test_a_gain_is_told_beside_what_was_wanted() -> None:
    """Reached or missed, in points."""
    wanted = Threshold(Fraction(1, 10), min_gain=Fraction(3, 10))
    assert rule(Counts(learned=30, unknown=70), wanted).because == "gained ≥ 30 pts"
    assert rule(Counts(learned=29, unknown=71), wanted).because == "gained < 30 pts"


@pytest.mark.parametrize(("learned", "verdict"), [(40, "pass"), (31, "fail"), (5, "fail")])
def test_a_gain_is_proven_or_red(learned: int, verdict: str) -> None:
    """Under `proven` a gain that may be chance is none."""
    assert ruled("proven", Counts(learned=learned, unknown=100 - learned), min_gain=Fraction(3, 10)).verdict == verdict


def test_retention_as_large_as_asked_passes() -> None:
    """80 % is not less than 80 %."""
    counts = Counts(retained=40, forgotten=10, learned=10, unknown=40)
    assert rule(counts, Threshold(Fraction(1, 10), min_retention=Fraction(4, 5))).verdict == "pass"


def test_nothing_kept_is_less_than_any_retention() -> None:
    """Though as much was learned as was forgotten."""
    ruling = rule(
        Counts(forgotten=40, learned=40, unknown=20), Threshold(Fraction(1, 10), min_retention=Fraction(1, 2))
    )
    assert (ruling.verdict, ruling.because) == ("fail", "retention 0.0 % < 50.0 %")


def test_a_pass_is_told_beside_what_was_allowed() -> None:
    """As a failure is."""
    assert rule(Counts(retained=90, forgotten=10), TENTH) == Ruling("pass", "≤ 10 pts")


def test_a_baseline_one_case_above_the_floor_is_judged() -> None:
    """11 of 100 known, all of them lost, is a loss of 11 points."""
    assert rule(Counts(forgotten=11, unknown=89), TENTH).verdict == "fail"


def test_evidence_has_interval_and_p_of_the_counts() -> None:
    """Fagerland's example turned round: 7 broken, 1 fixed of 21; mid-p is (1 + 8 / 2) / 256."""
    evidence = weigh(Counts(retained=1, forgotten=7, learned=1, unknown=12), Fraction(1, 10), 0.95)
    assert evidence is not None
    assert (round(evidence.low, 3), round(evidence.high, 3)) == (0.026, 0.517)
    assert evidence.p_value == pytest.approx(5 / 256)
    assert evidence.significant
    assert weigh(Counts(unanswered=3), Fraction(1, 10), 0.95) is None


def test_missing_cases_of_clusters_are_real_cases() -> None:
    """Twenty clusters of four with nothing lost lack nine clusters: 36 cases."""
    evidence = weigh(Counts(retained=80), Fraction(1, 10), 0.95, [[0] * 4] * 20)
    assert evidence is not None
    assert (evidence.proven, evidence.cases_needed) == (False, 36)


def test_evidence_is_of_the_confidence_asked_for() -> None:
    """Interval, proof and what is missing to it, with clusters and without; where it is proven nothing is missing."""
    counts, cases = Counts(retained=40), [[0]] * 40
    for together in (None, cases):
        sure, surer = (weigh(counts, Fraction(1, 10), confidence, together) for confidence in (0.95, 0.99))
        assert sure is not None
        assert surer is not None
        assert (sure.proven, sure.cases_needed) == (True, None)
        assert (surer.proven, surer.cases_needed) == (False, 11)
        assert surer.high > sure.high


def test_what_is_lost_whatever_went_unanswered_is_ruled_like_any_loss() -> None:
    """By the evidence of what was answered."""
    counts = Counts(retained=70, forgotten=27, unanswered=3)
    assert ruled("significant", counts).verdict == "fail"


def test_a_p_as_large_as_allowed_is_not_significant() -> None:
    """One loss and nothing else has p = 1/4."""
    evidence = weigh(Counts(retained=9, forgotten=1), Fraction(1, 10), 0.75)
    assert evidence is not None
    assert (evidence.p_value, evidence.significant) == (0.25, False)
