"""The Fisher information, held against closed forms."""

from collections.abc import Iterator

import pytest
import torch

from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.training.fisher import Output, evaluating, fisher, of_texts
from pytest_forgetting.training.rows import NOT_LEARNED, Row
from tests.training.tiny_base import tiny_base

CLASSES, FEATURES, SAMPLES = 4, 3, 50


class Softmax(torch.nn.Module):
    """A linear layer whose outputs are logits; its Fisher information is known in closed form."""

    def __init__(self, dtype: torch.dtype = torch.float32, scale: float = 1.0) -> None:
        """Draw weights and inputs."""
        super().__init__()
        drawn = torch.Generator().manual_seed(0)
        self.weight = torch.nn.Parameter(torch.randn(CLASSES, FEATURES, generator=drawn).to(dtype))
        self.inputs = (scale * torch.randn(SAMPLES, FEATURES, generator=drawn)).to(dtype)
        self.labels = torch.randint(CLASSES, (SAMPLES,), generator=drawn)

    def outputs(self, count: int = SAMPLES) -> Iterator[Output]:
        """Of one sample after the other."""
        for x, y in zip(self.inputs[:count], self.labels[:count], strict=True):
            yield (self.weight @ x)[None], y[None]

    def closed_form(self, *, empirical: bool = False) -> torch.Tensor:
        """E[(1{y=c} - p_c)^2] x_d^2: with y from the model p_c (1 - p_c) x_d^2, with y from the data as it stands."""
        inputs, weight = self.inputs.double(), self.weight.detach().double()
        p = torch.softmax(inputs @ weight.T, dim=1)
        hits = torch.nn.functional.one_hot(self.labels, CLASSES).double()
        spread = (hits - p) ** 2 if empirical else p * (1 - p)
        return torch.einsum("nc,nd->cd", spread, inputs**2) / SAMPLES


@pytest.mark.parametrize(("labels", "empirical"), [("all", False), ("true", True)])
def test_it_equals_the_analytic_one(labels: str, empirical: bool) -> None:
    """On a linear softmax model, for the exact expectation and for the empirical one."""
    model = Softmax()
    # A literal, by parameter.
    found = fisher({"weight": model.weight}, model.outputs(), labels)["weight"]  # type: ignore[arg-type]
    assert torch.allclose(found.double(), model.closed_form(empirical=empirical), rtol=1e-5)


def test_sampled_labels_come_to_the_exact_one() -> None:
    """Their mean over many draws is within four standard errors."""
    model = Softmax()
    torch.manual_seed(0)
    draws = torch.stack([fisher({"w": model.weight}, model.outputs(), "sample")["w"] for _ in range(200)]).double()
    error = draws.std(dim=0) / 200**0.5
    assert ((draws.mean(dim=0) - model.closed_form()).abs() < 4 * error).all()


def test_predicted_labels_are_the_most_likely_ones() -> None:
    """The same as the empirical one on labels that are the model's own guesses."""
    model = Softmax()
    found = fisher({"w": model.weight}, model.outputs(), "pred")["w"]
    model.labels = (model.inputs @ model.weight.detach().T).argmax(dim=1)
    assert torch.allclose(found.double(), model.closed_form(empirical=True), rtol=1e-5)


def test_it_is_divided_by_the_samples_really_seen() -> None:
    """The same samples twice over give the same information."""
    model = Softmax()
    once = fisher({"w": model.weight}, model.outputs(), "all")["w"]
    twice = fisher({"w": model.weight}, (each for _ in range(2) for each in model.outputs()), "all")["w"]
    assert torch.allclose(once, twice, rtol=1e-6)


def test_squares_of_a_batch_mean_would_be_another_quantity() -> None:
    """What is squared is each sample's gradient: the mean gradient's square is many times smaller."""
    model = Softmax()
    found = fisher({"w": model.weight}, model.outputs(), "true")["w"]
    loss = torch.nn.functional.cross_entropy(model.inputs @ model.weight.T, model.labels)
    (mean,) = torch.autograd.grad(loss, [model.weight])
    assert mean.pow(2).sum() < found.sum() / 5


def test_small_slopes_do_not_vanish_in_bfloat16() -> None:
    """Squares of 1e-12 are summed in float32 and equal the closed form within bfloat16's rounding."""
    model = Softmax(torch.bfloat16, scale=1e-6)
    found = fisher({"w": model.weight}, model.outputs(), "all")["w"]
    assert found.dtype == torch.float32
    assert torch.allclose(found.double(), model.closed_form(), rtol=0.02, atol=0)
    assert (found > 0).all()


def test_gradients_of_the_training_are_left_alone() -> None:
    """Nothing leaks into the first step."""
    model = Softmax()
    model.weight.grad = torch.ones(CLASSES, FEATURES)
    fisher({"w": model.weight}, model.outputs(), "true")
    assert (model.weight.grad == 1).all()


def test_no_sample_is_an_error() -> None:
    """Nought divided by nought would hold nothing in place, in silence."""
    with pytest.raises(WrongUsage, match="there is no sample"):
        fisher({"w": Softmax().weight}, iter([]), "true")


def test_a_text_is_one_sample() -> None:
    """The gradient of the sum over its learned positions is squared, not the mean of the positions' squares."""
    model, _ = tiny_base()
    row: Row = {"input_ids": [1, 5, 6, 7], "labels": [NOT_LEARNED, NOT_LEARNED, 6, 7]}
    weight = model.model.norm.weight
    found = fisher({"w": weight}, of_texts(model, [row]), "true")["w"]
    log_p = torch.log_softmax(model(input_ids=torch.tensor([row["input_ids"]])).logits[0], dim=-1)
    (slope,) = torch.autograd.grad(log_p[1, 6] + log_p[2, 7], [weight])
    assert torch.allclose(found, slope.pow(2), rtol=1e-4)


def test_exact_expectation_over_texts_is_the_mean_of_drawn_ones() -> None:
    """For ``all`` the positions' squares add up: that is what drawn labels come to."""
    model, _ = tiny_base()
    weights = {"w": model.model.norm.weight}
    row: Row = {"input_ids": [1, 5, 6], "labels": [NOT_LEARNED, 5, 6]}
    exact = fisher(weights, of_texts(model, [row]), "all")["w"].sum()
    torch.manual_seed(0)
    drawn = torch.stack([fisher(weights, of_texts(model, [row]), "sample")["w"].sum() for _ in range(400)])
    assert abs(drawn.mean() - exact) < 4 * drawn.std() / 20


def test_modes_are_put_back() -> None:
    """A module that was in training is so again, and one that was not is not."""
    model = torch.nn.Sequential(torch.nn.Dropout(), torch.nn.Dropout())
    model.train()
    model[1].eval()
    with evaluating(model):
        assert not any(module.training for module in model.modules())
    assert [module.training for module in model.modules()] == [True, True, False]
