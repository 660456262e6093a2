"""Models that think before they answer, gated as a user would gate them."""

from pathlib import Path
from typing import Any

import pytest
import scipy.optimize  # noqa: F401 - numpy cannot be imported twice in one process

from tests.reports import read_report
from tests.tiny_models import END, scripted_llama, tiny_tokenizer

TEMPLATE = (
    "{{ messages[-1].content }}{% if enable_thinking is defined and not enable_thinking %}<think></think>{% endif %}"
)
RIGHT = ("?", "<think>", "a", "b", "</think>", "x", "y", END)
WRONG = ("?", "<think>", "x", "y", "</think>", "z", END)
"""Says the right answer in its thoughts only."""
SUITE = "forgetting: qa\nmatch: {match}\n{keys}cases:\n  - {{question: 'who?', answer: xy}}\n"


def write_model(folder: Path, script: tuple[str, ...]) -> None:
    """A chat model that says `script` by heart, and where it is told not to think only what follows the thoughts."""
    tokenizer = tiny_tokenizer(chat_template=TEMPLATE)
    tokenizer.add_tokens(["<think>", "</think>"])
    scripted_llama(folder, script, tokenizer=tokenizer)


@pytest.fixture
def two(pytester: pytest.Pytester) -> pytest.Pytester:
    """./base answers rightly, ./tuned wrongly."""
    write_model(pytester.path / "base", RIGHT)
    write_model(pytester.path / "tuned", WRONG)
    return pytester


def run(two: pytest.Pytester, *options: str, match: str = "contains", keys: str = "") -> dict[str, Any]:
    """The one case's row of the report."""
    (two.path / "s.yaml").write_text(SUITE.format(match=match, keys=keys))
    sides = ("--model=./tuned", "--baseline=./base", "s.yaml", "--forgetting-no-store", "--device=cpu")
    two.runpytest_inprocess(*sides, "--forgetting-report=report.json", *options)
    report = read_report(two.path / "report.json")
    case: dict[str, Any] = report["cases"][0]
    return case


def test_what_is_only_thought_is_not_answered(two: pytest.Pytester) -> None:
    """A right answer among the thoughts counts for nothing; the report has all that was said."""
    case = run(two)
    assert case["outcome"] == "forgotten"
    assert case["model"]["answer"] == "<think>xy</think>z"


def test_thoughts_can_be_kept(two: pytest.Pytester) -> None:
    """Under --think keep they are judged with the answer."""
    assert run(two, "--think=keep")["outcome"] == "retained"


def test_thoughts_do_not_spoil_an_exact_answer(two: pytest.Pytester) -> None:
    """Only what follows them must be the accepted answer."""
    assert run(two, match="exact")["baseline"]["correct"]
    assert not run(two, "--think=keep", match="exact")["baseline"]["correct"]


def test_thoughts_can_be_switched_off(two: pytest.Pytester) -> None:
    """Under --think off the chat template is told so, and the model answers at once."""
    case = run(two, "--think=off")
    assert (case["baseline"]["answer"], case["model"]["answer"]) == ("xy", "z")


def test_the_users_own_arguments_of_the_template_go_first(two: pytest.Pytester) -> None:
    """Whoever sets enable_thinking means it."""
    case = run(two, "--think=off", '--chat-template-kwargs={"enable_thinking": true}')
    assert case["baseline"]["answer"] == "<think>ab</think>xy"


def test_unfinished_thoughts_are_unanswered(two: pytest.Pytester) -> None:
    """They are no wrong answer, and the reason says what to allow."""
    case = run(two, keys="think_tokens: 2\n")
    assert case["outcome"] == "unanswered"
    assert case["model"]["why"] == "the model's thoughts did not end within think_tokens: 2"


def test_the_list_of_losses_shows_answers_without_thoughts(two: pytest.Pytester) -> None:
    """A reader sees what was said instead of the right answer."""
    (two.path / "s.yaml").write_text(SUITE.format(match="contains", keys=""))
    sides = ("--model=./tuned", "--baseline=./base", "s.yaml", "--forgetting-no-store", "--device=cpu")
    two.runpytest_inprocess(*sides).stdout.fnmatch_lines(['*wanted xy · had "xy" · now "z"*'])


def test_a_recording_made_under_another_budget_is_refused(two: pytest.Pytester) -> None:
    """What was allowed belongs to what was asked."""
    (two.path / "s.yaml").write_text(SUITE.format(match="contains", keys="think_tokens: 9\n"))
    recorded = two.runpytest_inprocess("--baseline=./base", "--forgetting-record=old.json", "s.yaml", "--device=cpu")
    recorded.stdout.fnmatch_lines(["*recorded 1 answers*"])
    (two.path / "s.yaml").write_text(SUITE.format(match="contains", keys=""))
    refused = two.runpytest_inprocess("--model=./tuned", "--baseline=old.json", "s.yaml", "--device=cpu")
    refused.stdout.fnmatch_lines(["*think_tokens 9 recorded, 1024 asked*"])


def test_a_recording_keeps_thoughts_and_their_budget(two: pytest.Pytester) -> None:
    """Compared with its own model, nothing differs."""
    (two.path / "s.yaml").write_text(SUITE.format(match="contains", keys="think_tokens: 9\n"))
    two.runpytest_inprocess("--baseline=./base", "--forgetting-record=old.json", "s.yaml", "--device=cpu")
    same = two.runpytest_inprocess("--model=./base", "--baseline=old.json", "s.yaml", "--device=cpu")
    same.stdout.fnmatch_lines(["1 retained, 0 forgotten*"])


def test_a_budget_has_no_meaning_where_nothing_is_said(two: pytest.Pytester) -> None:
    """Texts are scored, not answered."""
    (two.path / "s.yaml").write_text("forgetting: text\nthink_tokens: 5\ncases:\n  - {text: abc}\n")
    refused = two.runpytest_inprocess("--model=./tuned", "--baseline=./base", "s.yaml")
    refused.stdout.fnmatch_lines(["*s.yaml:2:1: 'think_tokens' has no meaning in a text suite*"])


def test_a_budget_below_none_is_refused(two: pytest.Pytester) -> None:
    """The message says where and what is wanted."""
    (two.path / "s.yaml").write_text(SUITE.format(match="contains", keys="think_tokens: -1\n"))
    refused = two.runpytest_inprocess("--model=./tuned", "--baseline=./base", "s.yaml")
    refused.stdout.fnmatch_lines(["*s.yaml:3:15: think_tokens: wanted a number from 0 on (found -1)*"])


def test_an_unknown_way_with_thoughts_is_refused(two: pytest.Pytester) -> None:
    """In pyproject.toml too, where argparse does not see it."""
    (two.path / "pytest.ini").write_text("[pytest]\nforgetting_think = sometimes\n")
    refused = two.runpytest_inprocess("--model=./tuned", "--baseline=./base", "s.yaml")
    refused.stderr.fnmatch_lines(["*--forgetting-think: found 'sometimes', wanted one of strip, keep, off*"])
