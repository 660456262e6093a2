"""Examples as rows of tokens."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers.processors import TemplateProcessing
from transformers import DataCollatorForSeq2Seq, PreTrainedTokenizerFast

from pytest_forgetting.answers import template_timeout
from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.training.examples import Example, read_examples
from pytest_forgetting.training.rows import NOT_LEARNED, Row, cut_at, rows
from pytest_forgetting.training.rules import ForgettingWarning
from tests.training.tiny_base import TEXTS, tiny_base

CHAT = (
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}[end]{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)


def tokenizer(**extra: Any) -> PreTrainedTokenizerFast:
    """The tiny base's tokenizer."""
    made = tiny_base()[1]
    for name, value in extra.items():
        setattr(made, name, value)
    return made


def learned(of: PreTrainedTokenizerFast, row: Row) -> str:
    """The text that a row teaches."""
    assert len(row["input_ids"]) == len(row["labels"])
    pairs = zip(row["input_ids"], row["labels"], strict=True)
    assert all(label in (token, NOT_LEARNED) for token, label in pairs)
    return str(of.decode([label for label in row["labels"] if label != NOT_LEARNED]))


def test_text_ends_with_one_end_token() -> None:
    """The model must learn to stop: the end token is there, once, and is learned."""
    of = tokenizer()
    (made,) = rows(of, [Example(text=TEXTS[0])])
    assert made["labels"].count(of.eos_token_id) == 1
    assert made["labels"][-1] == of.eos_token_id
    assert made["labels"] == made["input_ids"]
    assert of.decode(made["input_ids"], skip_special_tokens=True) == TEXTS[0]


def test_tokenizer_that_ends_by_itself_is_not_ended_twice() -> None:
    """Some tokenizers add the end token on their own."""
    of = tokenizer()
    twice = rows(of, [Example(text=TEXTS[0]), Example(text=f"{TEXTS[0]}{of.eos_token}")])
    assert twice[0] == twice[1]


def test_a_text_that_writes_the_opening_token_gets_no_second_one() -> None:
    """It is learned as it will be read when the model is asked."""
    of = tokenizer()
    of.bos_token = of.eos_token
    of.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"{of.eos_token} $A", special_tokens=[(str(of.eos_token), int(of.eos_token_id or 0))]
    )
    written, plain = rows(of, [Example(text=f"{of.bos_token}one"), Example(text="one")])
    assert written["input_ids"] == plain["input_ids"]
    assert plain["input_ids"][0] == of.bos_token_id


def test_padding_never_hides_the_end_token() -> None:
    """A tokenizer whose end token is its padding too still has the end learned, and the padding not."""
    of = tokenizer()
    of.pad_token = of.eos_token
    both = [Example(text="one"), Example("Question: one?", " blue")]
    batch = DataCollatorForSeq2Seq(of)(rows(of, both))
    short = batch["labels"][0].tolist()
    assert short.count(of.eos_token_id) == 1
    assert short[-1] == NOT_LEARNED


def test_behind_a_prompt_the_answer_alone_is_learned() -> None:
    """And the end; the prompt is read only."""
    of = tokenizer()
    (made,) = rows(of, [Example("Question: red?\nAnswer:", " blue\n")])
    assert learned(of, made) == f" blue\n{of.eos_token}"
    assert of.decode(made["input_ids"], skip_special_tokens=True) == "Question: red?\nAnswer: blue\n"


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20).filter(str.strip))
def test_nothing_of_the_answer_is_left_out(prompt: str, answer: str) -> None:
    """Whatever the texts, every token that bears a part of the answer is learned, and the end token is."""
    of = tokenizer()
    (made,) = rows(of, [Example(prompt, answer)])
    assert made["labels"][-1] == of.eos_token_id
    taught = learned(of, made).removesuffix(str(of.eos_token))
    assert taught.endswith(answer) or "\ufffd" in taught  # a token may begin within a character of the prompt


def test_the_assistants_turns_are_learned() -> None:
    """Each of them with its end, as the template writes it; the user's are read only."""
    of = tokenizer(chat_template=CHAT)
    turns = (("user", "red?"), ("assistant", "blue"), ("user", "one?"), ("assistant", "two"))
    (made,) = rows(of, [Example(messages=turns)])
    assert learned(of, made) == "blue[end]two[end]"


def test_a_chat_without_a_template_is_refused() -> None:
    """There is no telling how its turns are to be written."""
    with pytest.raises(WrongUsage, match="the base has no chat template; give prompt and completion"):
        rows(tokenizer(), [Example(messages=(("assistant", "hi"),))])


def test_a_template_that_rewrites_earlier_turns_is_refused() -> None:
    """Where earlier turns change once later ones follow, it is not known what to learn."""
    of = tokenizer(chat_template="{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}")
    with pytest.raises(WrongUsage, match="writes earlier turns otherwise once later ones follow"):
        rows(of, [Example(messages=(("user", "a"), ("assistant", "b")))])


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "it runs longer than 0.3 s"),
        ("{{ 9**9**9 }}", "it computes powers"),
        ("{{ raise_exception('no assistant here') }}", "no assistant here"),
        ("{% if %}", "Expected an expression"),
    ],
    ids=["endless", "powers", "refuses", "broken"],
)
def test_a_template_that_does_not_take_a_chat_is_told(
    template: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one message, and within the time that the gate gives it."""
    monkeypatch.setattr(template_timeout, "TIME_LIMIT", 0.3)
    with pytest.raises(WrongUsage, match=f"the chat template refuses .*{told}.*; give prompt and completion"):
        rows(tokenizer(chat_template=template), [Example(messages=(("user", "a"), ("assistant", "b")))])


def test_rows_are_cut_at_the_length_wanted() -> None:
    """What is left is learned, without an end that is not there; afterwards nothing is cut."""
    plain = tokenizer()
    examples = read_examples(TEXTS)
    whole = rows(plain, examples)
    with cut_at(plain, 5), pytest.warns(ForgettingWarning, match="more than 5 tokens"):
        cut = rows(plain, examples)
    assert [row["input_ids"] for row in cut] == [row["input_ids"][:5] for row in whole]
    assert plain.eos_token_id not in cut[0]["labels"]
    assert rows(plain, examples) == whole


@pytest.mark.filterwarnings("ignore::pytest_forgetting.training.ForgettingWarning")
def test_a_prompt_that_fills_the_length_is_told() -> None:
    """Nothing would be learned from it."""
    plain = tokenizer()
    with cut_at(plain, 3), pytest.raises(WrongUsage, match="nothing to learn in its first 3 tokens"):
        rows(plain, read_examples([{"prompt": "Question: red?\nAnswer:", "completion": " blue"}]))
