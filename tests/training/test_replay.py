"""Texts that a model writes by itself, and their share in a training."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.errors import CannotAnswer
from pytest_forgetting.training.examples import Example
from pytest_forgetting.training.full import FullFineTune
from pytest_forgetting.training.own_texts import own_texts
from pytest_forgetting.training.recipe import Recipe
from pytest_forgetting.training.replay import Replay
from pytest_forgetting.training.reproducible import reproducible
from pytest_forgetting.training.steps import silent
from tests.training.tiny_base import TEXTS, tiny_base

DOMAIN = [Example(text=text) for text in TEXTS]
RECIPE = Recipe(learning_rate=1e-3, epochs=3)


def test_as_many_texts_as_asked_for() -> None:
    """Texts without an end are drawn anew, and the work is told."""
    told: list[tuple[int, int]] = []
    with reproducible(0):
        texts = own_texts(*tiny_base(), 5, max_new_tokens=200, on_step=lambda done, total: told.append((done, total)))
    assert len(texts) == 5
    assert all(text.strip() and "</s>" not in text for text in texts)
    assert told[-1] == (5, 5)


def test_texts_follow_the_seed() -> None:
    """The same seed writes the same texts."""
    with reproducible(1):
        first = own_texts(*tiny_base(), 3, max_new_tokens=200)
    with reproducible(1):
        assert own_texts(*tiny_base(), 3, max_new_tokens=200) == first


def test_model_that_never_ends_is_told() -> None:
    """A base that writes on and on has no replay text to give, and does not hang."""
    model, tokenizer = tiny_base()
    tokenizer.add_special_tokens({"eos_token": "<beyond the model's vocabulary>"})
    with reproducible(0), pytest.raises(CannotAnswer) as caught:
        own_texts(model, tokenizer, 2, max_new_tokens=3)
    assert str(caught.value) == "no replay text: 32 texts that the base wrote by itself had no end after 3 tokens"


def test_end_token_at_the_beginning_is_no_end() -> None:
    """Some models begin every text with their end token; a text cut off is still left out."""
    model, tokenizer = tiny_base()
    tokenizer.eos_token = tokenizer.bos_token
    with reproducible(0), pytest.raises(CannotAnswer, match="no end after 1 tokens"):
        own_texts(model, tokenizer, 2, max_new_tokens=1)


@given(st.fractions(0, Fraction(9, 10), max_denominator=20), st.integers(1, 1000))
def test_share_is_of_the_whole_mixture(share: Fraction, domain: int) -> None:
    """The own texts make at least the share asked for, and with one text less would not."""
    own = Replay(RECIPE, share=float(share)).own_count(domain)
    assert own >= share * (own + domain) - Fraction(1, 10**6)
    assert own == 0 or own - 1 < share * (own - 1 + domain) + Fraction(1, 10**6)


def test_passes_mix_domain_and_own_texts() -> None:
    """Each pass has all of the domain and fresh texts beside it, until the supply comes round again."""
    method = Replay(RECIPE, share=0.5, at_most=4)
    with reproducible(0):
        passes = method.passes(*tiny_base(), DOMAIN, silent)
    own = [text for texts in passes for text in texts[2:]]
    assert [list(texts[:2]) for texts in passes] == [DOMAIN] * 3
    assert own[4:] == own[:2]
    assert not set(own) & set(DOMAIN)


def test_full_tuning_sees_the_domain_alone() -> None:
    """Without replay a pass is the domain's texts and nothing else."""
    assert FullFineTune(RECIPE).passes(*tiny_base(), DOMAIN, silent) == [DOMAIN] * 3
