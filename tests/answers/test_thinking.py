"""Thoughts before an answer: told from it while decoding, on a model that says them by heart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.asking import ask
from pytest_forgetting.answers.requests import Conditions, Request
from pytest_forgetting.answers.thinking import Thought
from pytest_forgetting.grading.thoughts import without_thoughts
from pytest_forgetting.models.loading import LoadedPair, LoadOptions
from pytest_forgetting.models.references import resolve
from tests.tiny_models import END, scripted_llama, tiny_tokenizer

THOUGHTS = ("?", "<think>", "a", "b", "c", "</think>", "x", "y", "z", END)
ENDLESS = ("!", "<think>", "a")


def thinker(folder: Path, *scripts: tuple[str, ...], special: bool = False) -> Path:
    """A model that thinks "abc" and answers "xyz" where the prompt ends with a question mark."""
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens(["<think>", "</think>"], special_tokens=special)
    return scripted_llama(folder, *(scripts or (THOUGHTS,)), tokenizer=tokenizer)


def answer(folder: Path, prompt: str = "?", template: str | None = None, **asked: object) -> Answer:
    """What the model in `folder` says to `prompt`."""
    found: dict[int, Answer] = {}
    text, turns = (prompt, ()) if template is None else (None, (("user", prompt),))
    options = {"stop": (), "max_new_tokens": 50, **asked}
    with LoadedPair({"model": resolve(str(folder))}, LoadOptions(device="cpu")).speaking("model") as loaded:
        # Options of several types.
        ask(loaded, [Request(text, turns, **options)], Conditions("f", template), found.update)  # type: ignore[arg-type]
    return found[0]


def test_an_answer_is_told_with_the_thoughts_before_it(tmp_path: Path) -> None:
    """The text is all that was said, as plain decoding gives it."""
    assert answer(thinker(tmp_path / "m")).text == "<think>abc</think>xyz"


def test_thoughts_do_not_count_towards_the_answers_limit(tmp_path: Path) -> None:
    """Two tokens of answer are two tokens behind the closing tag."""
    said = answer(thinker(tmp_path / "m"), max_new_tokens=2)
    assert (said.text, said.finish) == ("<think>abc</think>xy", "length")


def test_a_stop_string_within_thoughts_ends_nothing(tmp_path: Path) -> None:
    """Thoughts may have the lines that end an answer."""
    assert answer(thinker(tmp_path / "m"), stop=("b",)).finish == "eos"


def test_a_stop_string_behind_thoughts_ends_the_answer(tmp_path: Path) -> None:
    """All that stands before it is kept, thoughts and answer."""
    said = answer(thinker(tmp_path / "m"), stop=("b", "y"))
    assert (said.text, said.finish) == ("<think>abc</think>x", "stop")


def test_thoughts_beyond_their_budget_are_no_answer(tmp_path: Path) -> None:
    """The reason names the key that allows more."""
    said = answer(thinker(tmp_path / "m"), think_tokens=3)
    assert said.finish == "unanswered"
    assert said.reason == "the model's thoughts did not end within think_tokens: 3"


def test_thoughts_within_their_budget_are_followed_by_an_answer(tmp_path: Path) -> None:
    """Both tags and three letters are five tokens."""
    assert answer(thinker(tmp_path / "m"), think_tokens=5).finish == "eos"


def test_a_model_that_ends_amid_its_thoughts_has_not_answered(tmp_path: Path) -> None:
    """What it said is kept for the reader."""
    said = answer(thinker(tmp_path / "m", ("?", "<think>", "a", END)))
    assert (said.text, said.finish) == ("<think>a", "unanswered")
    assert said.reason == "the model ended amid its thoughts"


def test_thoughts_that_fill_the_context_are_no_answer(tmp_path: Path) -> None:
    """A context of 128 tokens ends before a budget of 1024 does."""
    said = answer(thinker(tmp_path / "m", ("?", "<think>", "a", "b", "a")))
    assert (said.finish, said.reason) == ("unanswered", "the model's thoughts filled its context of 128 tokens")


def test_a_template_may_open_the_thoughts(tmp_path: Path) -> None:
    """Where the prompt ends with the opening tag, the model begins within its thoughts."""
    folder = thinker(tmp_path / "m")
    template = "{{ messages[0].content }}<think>"
    said = answer(folder, template=template, stop=("b",), max_new_tokens=1)
    assert said.text == "abc</think>x"
    assert answer(folder, template=template, think_tokens=2).finish == "unanswered"


def test_tags_that_are_special_tokens_are_seen_too(tmp_path: Path) -> None:
    """Special tokens are left out of answers, but not those that tell thoughts from what follows."""
    said = answer(thinker(tmp_path / "m", special=True), max_new_tokens=2)
    assert (said.text, said.finish) == ("<think>abc</think>xy", "length")


def test_whoever_only_mentions_the_tag_does_not_think(tmp_path: Path) -> None:
    """Thoughts stand at the beginning or nowhere."""
    said = answer(thinker(tmp_path / "m", ("?", "x", "<think>", "a", "b", END)), think_tokens=1, max_new_tokens=3)
    assert (said.text, said.finish) == ("x<think>a", "length")


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("<think>so and so</think>\n\nParis", "Paris"),
        ("so and so\n</think>\nParis", "Paris"),
        ("Paris", "Paris"),
        ("  Paris ", "  Paris "),
        ("<think>never ended", "<think>never ended"),
        ("<think></think>", ""),
    ],
)
def test_an_answer_is_what_follows_the_thoughts(said: str, left: str) -> None:
    """Without thoughts it is the whole text, as it is."""
    assert without_thoughts(said) == left


@given(st.lists(st.sampled_from(["<th", "ink>", "</th", "</think>", "<think>", "a", " ", "\n"]), max_size=30))
def test_thoughts_end_where_the_text_says_so(pieces: list[str]) -> None:
    """However tags are parted into tokens, thoughts are open exactly while the text has an opening tag only."""
    thought, said = Thought(100), ""
    for n in range(len(pieces)):
        said = "".join(pieces[: n + 1])
        within = thought.goes_on(range(n + 1), lambda tokens: "".join(pieces[token] for token in tokens))
        opened = said.lstrip().startswith("<think>")
        assert within is (opened and "</think>" not in said)


def test_blanks_at_the_beginning_are_read_once() -> None:
    """A model that says nothing but line breaks is not read from the beginning for each of them."""
    thought, read = Thought(100), 0

    def text_of(tokens: Sequence[int]) -> str:
        nonlocal read
        read += len(tokens)
        return "\n" * len(tokens)

    assert not any(thought.goes_on(range(n), text_of) for n in range(1, 101))
    assert read == 100
