"""What checks the pages: it sees what is wrong with one."""

import pytest

from tests.docs import test_every_block as every
from tests.docs.blocks import Block, told
from tests.docs.saying import share_said
from tests.docs.test_demo_pages import EXITS
from tests.docs.world import shown

OUTPUT = "first line\n\nn  3  66.7 pts\n==== 3 passed in 0.05s ====\n"


@pytest.mark.parametrize(
    "wanted",
    [OUTPUT, "first line\n…\n=== 3 passed in 7.12s ===", "...\nn  3  … pts\n...", "…\n==== 3 passed in 0.05s ====\n"],
)
def test_an_output_is_known_by_what_is_shown_of_it(wanted: str) -> None:
    """Lines and parts of lines may be left out where the page says so, and times differ."""
    assert shown(OUTPUT, wanted)


@pytest.mark.parametrize(
    "wanted",
    [
        "first line",
        "…\nn  3  66.8 pts\n…",
        "n  3  66.7 pts\n…",
        "first line\nn  3  66.7 pts\n…",
        "…\n=== 4 passed in 0.05s ===",
    ],
)
def test_another_output_is_not(wanted: str) -> None:
    """A figure, a line less, a line that is not there."""
    assert not shown(OUTPUT, wanted)


def test_a_message_that_was_reworded_is_seen() -> None:
    """Half of the words are others."""
    assert share_said("warning: the chat templates differ; each side is asked through its own") >= every.LEAST
    assert share_said("warning: the templates are unlike; both models use whatever they came with") < every.LEAST


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("$ pytest\nout\n", "console"),
        ("pytest --co  # why\n", "sh"),
        ("import torch\n", "python"),
        ("forgetting: qa\ncases: []\n", "yaml"),
        ("curl example.org\n", "output"),
    ],
)
def test_an_indented_block_has_a_language(text: str, language: str) -> None:
    """Told by its beginning."""
    assert told("", text) == (language, "")


@pytest.mark.parametrize(("language", "text"), [("rust", "fn main() {}"), ("sh", "curl example.org")])
def test_a_block_of_no_kind_fails(language: str, text: str) -> None:
    """Another language, another program."""
    with pytest.raises(AssertionError, match=r"docs/new.md:7"):
        every.test_a_block_is_of_a_kind_that_is_checked(Block("docs/new.md", 7, language, "", text))


def test_commands_are_parted_from_what_they_print() -> None:
    """Comments are left out, and lines that go on are one command."""
    block = Block("p.md", 1, "console", "", "$ pytest --model=a \\\n    'b c'  # why\nout\n$ git add x\n")
    assert list(block.commands) == [(["pytest", "--model=a", "b c"], "out\n"), (["git", "add", "x"], "")]


def test_pages_of_demo_models_are_asked_somewhere() -> None:
    """What the fast test leaves out, the slow one runs."""
    assert set(every.DEMO_PAGES) == set(EXITS)
