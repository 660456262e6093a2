"""Texts as rows of tokens."""

from transformers import DataCollatorForSeq2Seq

from pytest_forgetting.training.rows import row, rows
from tests.training.tiny_base import TEXTS, tiny_base


def test_text_ends_with_one_end_token() -> None:
    """The model must learn to stop: the end token is there, once, and is learned."""
    _, tokenizer = tiny_base()
    made = row(tokenizer, TEXTS[0])
    assert made["labels"].count(tokenizer.eos_token_id) == 1
    assert made["labels"][-1] == tokenizer.eos_token_id
    assert tokenizer.decode(made["input_ids"], skip_special_tokens=True) == TEXTS[0]


def test_tokenizer_that_ends_by_itself_is_not_ended_twice() -> None:
    """Some tokenizers add the end token on their own."""
    _, tokenizer = tiny_base()
    assert row(tokenizer, f"{TEXTS[0]}{tokenizer.eos_token}") == row(tokenizer, TEXTS[0])


def test_padding_never_hides_the_end_token() -> None:
    """A tokenizer whose end token is its padding too still has the end learned, and the padding not."""
    _, tokenizer = tiny_base()
    tokenizer.pad_token = tokenizer.eos_token
    batch = DataCollatorForSeq2Seq(tokenizer)(rows(tokenizer, ["one", "Question: one? blue"]))
    short = batch["labels"][0].tolist()
    assert short.count(tokenizer.eos_token_id) == 1
    assert short[-1] == -100
