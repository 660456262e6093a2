"""Texts that a model writes by itself, and their share in a training."""

import random
import warnings
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_forgetting.errors import CannotAnswer, WrongUsage
from pytest_forgetting.training.examples import Example
from pytest_forgetting.training.full import FullFineTune
from pytest_forgetting.training.own_texts import own_texts
from pytest_forgetting.training.recipe import Recipe
from pytest_forgetting.training.replay import Replay
from pytest_forgetting.training.reproducible import reproducible
from pytest_forgetting.training.rows import rows
from pytest_forgetting.training.rules import ForgettingWarning
from pytest_forgetting.training.steps import silent
from tests.training.tiny_base import TEXTS, tiny_base

BASE = tiny_base()
DOMAIN = [Example(text=text) for text in TEXTS]
RECIPE = Recipe(learning_rate=1e-3, epochs=3)


def test_as_many_texts_as_asked_for() -> None:
    """No more and no fewer, without special tokens, and the work is told."""
    told: list[tuple[int, int]] = []
    with reproducible(0):
        texts = own_texts(*tiny_base(), 5, max_new_tokens=200, on_step=lambda done, total: told.append((done, total)))
    assert len(texts) == 5
    assert all(each.text.strip() and "</s>" not in each.text for each in texts)
    assert told[-1] == (5, 5)


def test_texts_follow_the_seed() -> None:
    """The same seed writes the same texts."""
    with reproducible(1):
        first = own_texts(*tiny_base(), 3, max_new_tokens=200)
    with reproducible(1):
        assert own_texts(*tiny_base(), 3, max_new_tokens=200) == first


def test_a_model_that_writes_on_and_on_is_taken_as_far_as_it_goes() -> None:
    """Its texts are kept, and a tuned model learns no end from them."""
    model, tokenizer = tiny_base()
    with reproducible(0):
        texts = own_texts(model, tokenizer, 40, max_new_tokens=3)
    broken_off = [each for each in texts if not each.ended]
    assert len(broken_off) > 30
    (row,) = rows(tokenizer, [Example(text=broken_off[0].text, whole=False)])
    assert tokenizer.eos_token_id not in row["labels"]
    assert row["labels"] == row["input_ids"]


def test_a_model_that_writes_nothing_is_told() -> None:
    """It has no replay text to give, and does not hang."""
    model, tokenizer = tiny_base()
    every_token = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    tokenizer.add_special_tokens({"extra_special_tokens": every_token})
    with reproducible(0), pytest.raises(CannotAnswer) as caught:
        own_texts(model, tokenizer, 2, max_new_tokens=3)
    assert str(caught.value) == "no replay text: 32 texts that the base wrote by itself are all empty"


def test_end_token_at_the_beginning_is_no_end() -> None:
    """Some models begin every text with their end token."""
    model, tokenizer = tiny_base()
    tokenizer.eos_token = tokenizer.bos_token
    with reproducible(0):
        assert not any(each.ended for each in own_texts(model, tokenizer, 2, max_new_tokens=1))


def mixture(method: Replay, domain: int) -> list[list[str]]:
    """The sources in each pass over so many domain examples."""
    passes = method.passes(*BASE, [Example(text=f"domain {n}") for n in range(domain)], silent)
    return [[example.source for example in each] for each in passes]


@settings(deadline=None)
@given(st.integers(0, 95), st.integers(1, 300))
def test_the_share_is_exact_in_rows(percent: int, domain: int) -> None:
    """Of the whole mixture, not of the domain: reached, and with one example less it would not be."""
    share = Fraction(percent, 100)
    (sources,) = mixture(Replay(FullFineTune(Recipe(1e-3, 1)), share=percent / 100, general=["a", "b"] * 3_000), domain)
    replayed = sources.count("replay")
    assert sources.count("domain") == domain
    assert replayed >= share * (replayed + domain)
    assert replayed == 0 or replayed - 1 < share * (replayed - 1 + domain)


@pytest.mark.parametrize(("share", "domain", "wanted"), [(0.1, 9, 1), (0.1, 90, 10), (0.15, 17, 3), (0.1, 2, 1)])
def test_decimal_shares_are_meant_as_written(share: float, domain: int, wanted: int) -> None:
    """One tenth of ten is one, whatever 0.1 is in binary; and a small set still gets its replay."""
    assert (
        mixture(Replay(FullFineTune(Recipe(1e-3, 1)), share=share, general=["a"] * 100), domain)[0].count("replay")
        == wanted
    )


@settings(deadline=None)
@given(st.integers(1, 80), st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_in_tokens_the_share_is_met_within_one_example(percent: int, words: list[int]) -> None:
    """Long and short examples weigh what they are."""
    _, tokenizer = BASE
    general = [Example(text="one " * count, source="replay") for count in words]
    method = Replay(FullFineTune(Recipe(1e-3, 1)), share=percent / 100, measure="tokens", general=general)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ForgettingWarning)
        (examples,) = method.passes(*BASE, DOMAIN, silent)
    sizes = [(each.source, len(rows(tokenizer, [each])[0]["input_ids"])) for each in examples]
    domain, replayed = (sum(size for source, size in sizes if source == name) for name in ("domain", "replay"))
    share = Fraction(percent, 100)
    assert replayed >= share * (replayed + domain)
    assert replayed - sizes[-1][1] < share * (replayed - sizes[-1][1] + domain)


def test_a_general_set_comes_round_only_when_all_of_it_was_there() -> None:
    """Each pass has other examples of it, in an order of its own that leaves Python's random state alone."""
    state = random.getstate()
    method = Replay(FullFineTune(RECIPE), share=0.5, general=[f"text {n}" for n in range(6)])
    passes = method.passes(*tiny_base(), DOMAIN, silent)
    replayed = [example.text for each in passes for example in each if example.source == "replay"]
    assert sorted(replayed) == [f"text {n}" for n in range(6)]
    assert random.getstate() == state
    assert replayed != sorted(replayed)


def test_a_general_set_that_runs_short_is_told() -> None:
    """It is repeated to keep the share, not capped in silence."""
    with pytest.warns(ForgettingWarning, match="0.9 of the mixture is 18 rows a pass, and the general set has 4"):
        assert mixture(Replay(FullFineTune(Recipe(1e-3, 1)), share=0.9, general=["a"] * 4), 2)[0].count("replay") == 18


def test_a_rows_own_source_is_kept() -> None:
    """Provenance that the data brings along is not overwritten."""
    (sources,) = mixture(Replay(FullFineTune(Recipe(1e-3, 1)), share=0.5, general=[{"text": "a", "source": "wiki"}]), 1)
    assert sources == ["domain", "wiki"]


@pytest.mark.parametrize("share", [1, 1.5, -0.1])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    """It is of the whole mixture, so that 1 would leave the domain out."""
    with pytest.raises(WrongUsage, match=r"Replay: share .*; wanted one from 0 to under 1, of the whole mixture"):
        Replay(share=share)


def test_passes_mix_domain_and_own_texts() -> None:
    """Each pass has all of the domain and fresh texts beside it, until the supply comes round again."""
    method = Replay(FullFineTune(RECIPE), share=0.5, at_most=4)
    with reproducible(0):
        passes = method.passes(*tiny_base(), DOMAIN, silent)
    own = [text for texts in passes for text in texts[2:]]
    assert [list(texts[:2]) for texts in passes] == [DOMAIN] * 3
    assert own[4:] == own[:2]
    assert not set(own) & set(DOMAIN)


def test_full_tuning_sees_the_domain_alone() -> None:
    """Without replay a pass is the domain's texts and nothing else."""
    assert FullFineTune(RECIPE).passes(*tiny_base(), DOMAIN, silent) == [DOMAIN] * 3
