"""Which outcomes rounding may have decided, and what is told of them."""

from dataclasses import replace

import pytest

from pytest_forgetting.comparison.doubts import NEAR, confirmation, is_doubtful, is_half
from pytest_forgetting.comparison.outcomes import CaseResult, Graded
from pytest_forgetting.comparison.participants import Finding, Participant
from tests.comparison.lost import question

RIGHT, WRONG = Graded("Paris", "eos", True), Graded("Rome", "eos", False)
SILENT = Graded("", "unanswered", False)


def result(had: Graded, has: Graded, gap: float | None = None, model_gap: float | None = None) -> CaseResult:
    """A case with both answers, and how near each of them was to another."""
    return CaseResult(question(), "q", replace(had, gap=gap), replace(has, gap=model_gap))


LOST, LEARNED, SAME = result(RIGHT, WRONG), result(WRONG, RIGHT), result(RIGHT, RIGHT, 0.0, 0.0)


@pytest.mark.parametrize(
    ("dtypes", "half"),
    [
        (("float32", "bfloat16"), True),
        (("float16", "float32"), True),
        (("float32", "float32"), False),
        ((None, None), False),
    ],
)
def test_one_side_in_half_precision_is_enough(dtypes: tuple[str | None, str | None], half: bool) -> None:
    """Either type of sixteen bits, on either side."""
    assert is_half(*(Participant("m", "f", dtype) for dtype in dtypes)) is half


@pytest.mark.parametrize(
    ("each", "half", "doubtful"),
    [
        (LOST, True, True),
        (LEARNED, True, True),
        (SAME, True, False),
        (result(RIGHT, SILENT), True, False),
        (result(SILENT, RIGHT), True, False),
        (LOST, False, False),
        (result(RIGHT, WRONG, NEAR / 2, 1.0), False, True),
        (result(WRONG, RIGHT, None, NEAR / 2), False, True),
        (result(RIGHT, WRONG, NEAR, 1.0), False, False),
        (SAME, False, False),
    ],
)
def test_only_differing_grades_are_doubted(each: CaseResult, half: bool, doubtful: bool) -> None:
    """In half precision all of them, else those in which either side's likeliest tokens were nearer than `NEAR`."""
    assert is_doubtful(each, half_precision=half) is doubtful


def test_near_means_a_thousandth_of_a_logit() -> None:
    """A hundred times what the order of a sum moves in float32."""
    assert NEAR == 1e-3


def test_nothing_is_told_where_nothing_was_doubtful() -> None:
    """No case, or cases that rounding did not touch."""
    assert confirmation([], half_precision=True) is None
    assert confirmation([LOST, SAME], half_precision=False) is None


def test_what_became_of_the_doubtful_is_told() -> None:
    """How many were asked again, how many of them stayed as they were, and why they were asked."""
    again = [replace(LOST, first="forgotten"), replace(SAME, first="forgotten"), replace(SAME, first="learned")]
    assert confirmation(again, half_precision=True) == Finding(
        "confirm",
        "info",
        "3 cases whose grades differed were asked again, all in batches of one shape, as half precision rounds:"
        " 1 confirmed, 2 numeric noise",
    )


def test_doubts_that_stay_are_a_warning() -> None:
    """What could not be asked again is counted, whatever else was."""
    near = result(RIGHT, WRONG, NEAR / 2)
    assert confirmation([near, replace(LOST, first="forgotten")], half_precision=False) == Finding(
        "confirm",
        "warning",
        "1 case differ perhaps by rounding only, and could not be asked again (their likeliest tokens were near ties)",
    )
    told = confirmation([LOST, LEARNED, SAME], half_precision=True)
    assert told is not None
    assert told.detail.startswith("2 cases differ perhaps by rounding only")
