"""Answers that are drawn: always the same ones, by the model's own probabilities."""

import shutil
from collections import Counter
from pathlib import Path

import pytest
import torch
from scipy.stats import chisquare

from pytest_forgetting.answers import sampling
from pytest_forgetting.answers.requests import Draw, Request
from pytest_forgetting.answers.sampling import Sampler, sampler_for
from tests.scoring import answers, logits, speaking
from tests.tiny_models import tiny_llama, tiny_other

LOGITS = torch.tensor([2.0, -1.0, 0.5, 0.0, -torch.inf, 1.0])
OFTEN = 4000


def drawn(prompt: str, number: int, temperature: float = 1.0, limit: int = 6) -> Request:
    """A sample of an answer to `prompt`."""
    return Request(prompt, (), (), limit, Draw(temperature, number))


def asked() -> list[Request]:
    """Four samples each of three prompts of other lengths, and a greedy answer in between."""
    prompts = ("a", "The cat sat on", "One two three four five six " * 3)
    greedy = Request("The cat sat on", (), (), 6)
    return [*(drawn(prompt, number) for prompt in prompts for number in range(4)), greedy]


def sampler(number: int, temperature: float) -> Sampler:
    """The sampler of one sample of one prompt."""
    return sampler_for(Request("q", ()), Draw(temperature, number))


def misfit(counts: Counter[int], shares: torch.Tensor) -> float:
    """The p value of Pearson's chi-square test; what is expected less than 5 times counts as one."""
    expected = shares * counts.total()
    often = [n for n in range(len(expected)) if expected[n] >= 5]
    seen = [counts[n] for n in often]
    wanted = [float(expected[n]) for n in often]
    if (rest := counts.total() - sum(wanted)) > 1e-6:
        seen.append(counts.total() - sum(seen))
        wanted.append(rest)
    return float(chisquare(seen, wanted).pvalue)


@pytest.mark.parametrize("kind", ["llama", "mamba"])
def test_a_drawn_answer_is_the_same_in_any_batch_and_order(tmp_path: Path, kind: str) -> None:
    """At 1, 3 and 64 rows, forwards and backwards, each sample says what it says alone."""
    folder = tiny_llama(tmp_path / "m") if kind == "llama" else tiny_other(tmp_path / "m", kind)
    with speaking(folder) as loaded:
        alone = [answers(loaded, [request])[0] for request in asked()]
        for size in (1, 3, 64, None):
            assert answers(loaded, asked(), size) == alone
            assert answers(loaded, asked()[::-1], size)[::-1] == alone


def test_samples_of_one_prompt_differ(tmp_path: Path) -> None:
    """Each number draws another answer, and none of them is the greedy one by necessity."""
    with speaking(tiny_llama(tmp_path / "m")) as loaded:
        found = answers(loaded, [drawn("a", number) for number in range(8)])
    assert len({answer.text for answer in found}) > 4
    assert {answer.gap for answer in found} == {None}


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_tokens_are_drawn_by_their_probability_at_the_temperature(temperature: float) -> None:
    """Over thousands of numbers the shares are those of softmax(logits / temperature)."""
    counts = Counter(sampler(number, temperature).draw(LOGITS, 0) for number in range(OFTEN))
    assert misfit(counts, (LOGITS.double() / temperature).softmax(-1)) > 0.01
    assert misfit(counts, (LOGITS.double() / (temperature * 1.3)).softmax(-1)) < 1e-4, "the test sees a wrong one"


def test_later_tokens_are_drawn_anew() -> None:
    """Each step has a number of its own: the second token does not hang on the first."""
    pairs = Counter((sampler(n, 1.0).draw(LOGITS, 0), sampler(n, 1.0).draw(LOGITS, 1)) for n in range(OFTEN))
    shares = LOGITS.double().softmax(-1)
    flat = Counter({one * len(shares) + two: count for (one, two), count in pairs.items()})
    assert misfit(flat, torch.outer(shares, shares).flatten()) > 0.01


def test_a_models_first_tokens_follow_its_probabilities(tmp_path: Path) -> None:
    """The model's own, from a plain forward pass, over many numbers."""
    with speaking(tiny_llama(tmp_path / "m", initializer_range=0.1)) as loaded:
        found = answers(loaded, [drawn("The cat", number, 0.8, limit=1) for number in range(2000)])
        shares = (logits(loaded.model, loaded.tokenizer("The cat")["input_ids"])[-1] / 0.8).softmax(-1)
    counts = Counter(answer.tokens[0] for answer in found if answer.tokens)
    assert counts.total() == len(found)
    assert misfit(counts, shares) > 0.01


def test_a_low_temperature_draws_the_greedy_answer(tmp_path: Path) -> None:
    """Towards 0 only the likeliest token is left, however small the temperature gets."""
    with speaking(tiny_llama(tmp_path / "m")) as loaded:
        greedy = answers(loaded, [Request("The cat", (), (), 6)])[0]
        for temperature in (1e-6, 1e-300, 5e-324):
            assert answers(loaded, [drawn("The cat", 1, temperature)])[0].tokens == greedy.tokens


def test_equal_models_draw_equal_answers(tmp_path: Path) -> None:
    """A sampler does not know whose it is: a copy in another folder draws the same."""
    one = tiny_llama(tmp_path / "one")
    shutil.copytree(one, tmp_path / "two")
    with speaking(one) as loaded:
        had = answers(loaded, asked())
    with speaking(tmp_path / "two") as loaded:
        assert answers(loaded, asked()) == had


def test_models_that_nearly_agree_draw_nearly_the_same() -> None:
    """Both are drawn at one number: they part as rarely as their probabilities allow, not as two strangers do."""
    near = LOGITS + torch.tensor([0.02, -0.02, 0.01, 0.0, 0.0, -0.01])
    parted = sum(sampler(n, 1.0).draw(LOGITS, 0) != sampler(n, 1.0).draw(near, 0) for n in range(OFTEN))
    cumulative = [each.double().softmax(-1).cumsum(-1) for each in (LOGITS, near)]
    most = float((cumulative[0] - cumulative[1]).abs().sum())
    strangers = 1 - float((LOGITS.softmax(-1) ** 2).sum())
    assert parted / OFTEN <= 1.5 * most < strangers / 10


def test_what_has_no_probability_is_never_drawn() -> None:
    """Neither a token of −inf in the middle nor one at the end."""
    impossible = torch.tensor([-torch.inf, 0.0, -torch.inf, 0.0, -torch.inf])
    assert {sampler(n, 1.0).draw(impossible, 0) for n in range(500)} == {1, 3}


@pytest.mark.parametrize(("uniform", "token"), [(0.0, 1), (1 - 2**-53, 3)])
def test_the_ends_of_the_unit_interval_draw_possible_tokens(
    monkeypatch: pytest.MonkeyPatch, uniform: float, token: int
) -> None:
    """The least number drawn is 0, which lies before every token of probability 0 in front; the largest is below 1."""
    monkeypatch.setattr(sampling, "_uniform", lambda *_: uniform)
    impossible = torch.tensor([-torch.inf, 0.0, -torch.inf, 0.0, -torch.inf])
    assert sampler(0, 1.0).draw(impossible, 0) == token


def test_other_prompts_draw_otherwise() -> None:
    """The seed is the prompt's: the same number of another prompt, or of the same one as messages, is another."""
    prompts = (Request("q", ()), Request("q2", ()), Request(None, (("user", "q"),)))
    rows = [[sampler_for(p, Draw(1.0, n)).draw(LOGITS, 0) for n in range(40)] for p in prompts]
    assert len({tuple(row) for row in rows}) == len(prompts)
