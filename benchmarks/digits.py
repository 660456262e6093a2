"""What elastic weight consolidation (EWC) keeps of the first of five tasks: ``python benchmarks/digits.py [--sweep]``.

A small network learns five tasks in a row on scikit-learn's digits of 8 x 8 pixels: by plain training, by online EWC,
by L2-SP (EWC with F = 1), and by joint training on all tasks so far, which is the upper bound.

- permuted digits: ten classes; each task shuffles the pixels in its own way, the first leaves them as they are.
- split digits: 0 and 1, then 2 and 3, ..., 8 and 9; always the same two classes, even and odd.

Prints shares of right answers on held-out images, mean and lowest … highest of five seeds: on the first task right
after it and after the last one, on the last task, and on all tasks after the last one (about two minutes on one core).
With ``--sweep`` it prints what the strengths were chosen from instead (about as long).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import mean
from typing import NamedTuple

import torch
from tabulate import tabulate
from torch.nn.functional import cross_entropy

from pytest_forgetting.training.anchor import Weights
from pytest_forgetting.training.fisher import evaluating, fisher
from pytest_forgetting.training.reproducible import reproducible, single_threaded

TASKS, PIXELS, WIDTH = 5, 64, 128
BATCH, EPOCHS, SAMPLES = 64, 20, 200
# What EWC leaves free are flat directions, which small steps do not get along: at 1e-3 holding on costs more learning.
RATE = 5e-3
SEEDS, SWEEP_SEEDS = range(5), range(100, 102)
SWEPT = {"EWC": (10, 30, 100, 300, 1000), "L2-SP": (0.003, 0.01, 0.03, 0.1, 0.3)}

Importance = Mapping[str, torch.Tensor]
"""F, by the names of the parameters."""


class Part(NamedTuple):
    """Images, one row of pixels each, and their labels."""

    images: torch.Tensor
    labels: torch.Tensor


class Task(NamedTuple):
    """What is trained on, and what is held out."""

    train: Part
    test: Part


class Scenario(NamedTuple):
    """Tasks in a row, all answered by the same head, and how hard each method holds on."""

    name: str
    tasks: Callable[[Task, int], list[Task]]
    classes: int
    strengths: Mapping[str, float]


class Method(NamedTuple):
    """What F is, if anything is held in place, and whether earlier tasks are trained on again."""

    name: str
    importance: Callable[[torch.nn.Module, Part], Importance] | None = None
    strength: float = 0.0
    joint: bool = False


class Outcome(NamedTuple):
    """Shares of right answers on held-out images: of the first task right after it, the rest after the last one."""

    learned: float
    kept: float
    last: float
    mean: float


class Pull:
    """Online EWC, decay 1: ``strength / 2 * sum F_i * (theta_i - theta*_i)^2``.

    One anchor theta*, where the last task left the model, and as F the sum over all tasks so far.
    """

    def __init__(self, strength: float) -> None:
        """Nothing is held yet."""
        self._strength = strength
        self._anchor: Weights | None = None
        self._importance: Importance = {}

    def add(self, model: torch.nn.Module, importance: Importance) -> None:
        """Hold `model` where it stands now."""
        self._anchor = Weights(model)
        self._importance = {name: each + self._importance.get(name, 0) for name, each in importance.items()}

    def __call__(self, model: torch.nn.Module) -> torch.Tensor:
        """What is added to the loss."""
        if self._anchor is None:
            return torch.tensor(0.0)
        return self._strength / 2 * self._anchor.distance(model, self._importance)


def digits(*, sweep: bool = False) -> Task:
    """All ten digits, 30 % of them held out; for the sweep 30 % of the rest, so that it sees no image of the test."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, digit = load_digits(return_X_y=True)
    images, labels = torch.tensor(pixels / 16, dtype=torch.float32), torch.tensor(digit)
    train, test = train_test_split(range(len(labels)), test_size=0.3, stratify=labels, random_state=0)
    if sweep:
        train, test = train_test_split(train, test_size=0.3, stratify=labels[train], random_state=0)
    return Task(Part(images[train], labels[train]), Part(images[test], labels[test]))


def permuted(whole: Task, seed: int) -> list[Task]:
    """The digits as they are, and in random orders of their pixels, one for each task."""
    draws = torch.Generator().manual_seed(seed)
    orders = [torch.arange(PIXELS), *(torch.randperm(PIXELS, generator=draws) for _ in range(TASKS - 1))]
    return [Task(*(Part(part.images[:, order], part.labels) for part in whole)) for order in orders]


def split(whole: Task, _seed: int) -> list[Task]:
    """Two digits after the other; label 0 is the even one, 1 the odd one."""
    return [Task(*(_pair(part, 2 * place) for part in whole)) for place in range(TASKS)]


def _pair(part: Part, even: int) -> Part:
    chosen = (part.labels == even) | (part.labels == even + 1)
    return Part(part.images[chosen], part.labels[chosen] % 2)


# Of the values in SWEPT, those with the highest mean of all tasks after the last one, by --sweep.
PERMUTED = Scenario("permuted digits", permuted, 10, {"EWC": 100, "L2-SP": 0.03})
SPLIT = Scenario("split digits", split, 2, {"EWC": 100, "L2-SP": 0.01})


def network(classes: int, seed: int) -> torch.nn.Sequential:
    """A perceptron with two hidden layers."""
    with reproducible(seed):
        first, second, head = (torch.nn.Linear(*sizes) for sizes in ((PIXELS, WIDTH), (WIDTH, WIDTH), (WIDTH, classes)))
    return torch.nn.Sequential(first, torch.nn.ReLU(), second, torch.nn.ReLU(), head)


def information(model: torch.nn.Module, part: Part) -> Importance:
    """EWC: the diagonal Fisher information, exact over the labels."""
    rows = zip(part.images[:SAMPLES], part.labels[:SAMPLES], strict=True)
    with evaluating(model):
        outputs = ((model(image[None]), label[None]) for image, label in rows)
        return fisher(dict(model.named_parameters()), outputs, "all")


def ones(model: torch.nn.Module, _part: Part) -> Importance:
    """L2-SP: each weight matters as much as any other."""
    return {name: torch.ones_like(parameter) for name, parameter in model.named_parameters()}


def held(scenario: Scenario) -> dict[str, Method]:
    """The methods that hold weights in place, as strongly as `scenario` says."""
    kinds = {"EWC": information, "L2-SP": ones}
    return {name: Method(name, kind, scenario.strengths[name]) for name, kind in kinds.items()}


def batches(parts: Sequence[Part], draws: torch.Generator) -> Iterator[Part]:
    """BATCH random images of each of `parts`, as often as makes EPOCHS passes over the last of them.

    Which images of the last one does not depend on the others: every method is given the same, in the same order.
    """
    for _ in range(EPOCHS * len(parts[-1].labels) // BATCH):
        places = torch.rand(BATCH, generator=draws, dtype=torch.float64)
        rows = [(places * len(part.labels)).long() for part in parts]
        drawn = [Part(part.images[row], part.labels[row]) for part, row in zip(parts, rows, strict=True)]
        yield Part(torch.cat([part.images for part in drawn]), torch.cat([part.labels for part in drawn]))


def learn(model: torch.nn.Module, parts: Sequence[Part], pull: Pull, draws: torch.Generator) -> None:
    """By Adam, at a rate that falls to nought: the model is to end at an optimum, where EWC takes it to be."""
    steps = list(batches(parts, draws))
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, fused=True)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, len(steps))
    for batch in steps:
        loss = cross_entropy(model(batch.images), batch.labels) + pull(model)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def accuracy(model: torch.nn.Module, part: Part) -> float:
    """Share of right answers."""
    with torch.inference_mode():
        return float((model(part.images).argmax(dim=1) == part.labels).float().mean())


@single_threaded()
def outcome(tasks: Sequence[Task], classes: int, method: Method, seed: int) -> Outcome:
    """Learn `tasks` one after the other, and test."""
    model, pull, draws = network(classes, seed), Pull(method.strength), torch.Generator().manual_seed(seed)
    for place, task in enumerate(tasks):
        if place and method.importance:
            pull.add(model, method.importance(model, tasks[place - 1].train))
        seen = tasks[: place + 1] if method.joint else [task]
        learn(model, [each.train for each in seen], pull, draws)
        if place == 0:
            learned = accuracy(model, task.test)
    shares = [accuracy(model, task.test) for task in tasks]
    return Outcome(learned, shares[0], shares[-1], mean(shares))


def outcomes(scenario: Scenario, method: Method, whole: Task, seeds: Sequence[int]) -> list[Outcome]:
    """One for each seed, which decides the orders of pixels, the first weights and the order of the images."""
    return [outcome(scenario.tasks(whole, seed), scenario.classes, method, seed) for seed in seeds]


def percent(values: Sequence[float]) -> str:
    """Mean, and lowest … highest."""
    low, middle, high = (f"{100 * value:.1f}" for value in (min(values), mean(values), max(values)))
    return f"{middle} ({low} … {high})"


def rows(*, sweep: bool) -> Iterator[list[str]]:
    """The lines of the table."""
    whole, seeds = digits(sweep=sweep), SWEEP_SEEDS if sweep else SEEDS
    for scenario in (PERMUTED, SPLIT):
        mine = held(scenario).values()
        swept = [method._replace(strength=value) for method in mine for value in SWEPT[method.name]]
        for method in swept if sweep else [Method("plain"), *mine, Method("joint", joint=True)]:
            found = zip(*outcomes(scenario, method, whole, seeds), strict=True)
            strength = f"{method.strength:g}" if method.importance else ""
            yield [scenario.name, method.name, strength, *(percent(values) for values in found)]


def main() -> None:
    """Train, test, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sweep", action="store_true", help="try each strength on other seeds and held-out images")
    sweep = parser.parse_args().sweep
    # Most weights have an F near nought, and what it multiplies becomes denormal: several times as slow.
    torch.set_flush_denormal(True)
    heads = ["scenario", "method", "lambda", "first task, at once", "first task, at the end", "last task", "all tasks"]
    print(tabulate(list(rows(sweep=sweep)), heads, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
