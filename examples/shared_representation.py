"""A shared representation overwritten: ``python examples/shared_representation.py [PNG]``. It needs matplotlib.

A small network with two shared layers and a head for each of two tasks, sine and a sawtooth of the same number. It
learns A, then B. A's head is not touched while B is learned, and the learning rate stays as it was: what A loses, it
loses because the layers below its head have moved. Errors are measured on points that were never trained on, over
twenty seeds; beside plain training stands one that goes on seeing A's points (replay), with as many steps on B. It
takes about a minute.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import matplotlib
import torch
from torch import nn

matplotlib.use("Agg")
from matplotlib import pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SEEDS, STEPS, EVERY, RATE = 20, 600, 20, 1e-2
Task = Callable[[torch.Tensor], torch.Tensor]
TASKS: tuple[Task, Task] = (lambda x: torch.sin(3 * x), lambda x: 2 * (x - torch.floor(x + 0.5)))


class Network(nn.Module):
    """A layer that both tasks share, and a head for each."""

    def __init__(self) -> None:
        """Draw the weights."""
        super().__init__()
        self.shared = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh())
        self.heads = nn.ModuleList([nn.Linear(64, 1), nn.Linear(64, 1)])

    def error(self, task: int, x: torch.Tensor) -> torch.Tensor:
        """Mean squared error on `task` at the points `x` of shape (n, 1)."""
        predicted: torch.Tensor = self.heads[task](self.shared(x))
        return (predicted - TASKS[task](x)).pow(2).mean()


def train(seed: int, replay: bool) -> list[tuple[float, float]]:
    """Errors on A and B, on fresh points, at the end of A and every few steps of B."""
    torch.manual_seed(seed)
    network, seen, fresh = Network(), 2 * torch.rand(128, 1) - 1, 2 * torch.rand(512, 1) - 1
    told: list[tuple[float, float]] = []
    for tasks in ((0,), (1, 0) if replay else (1,)):
        optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
        for step in range(STEPS + 1):
            if tasks[0] == 1 and step % EVERY == 0:
                with torch.no_grad():
                    told.append((network.error(0, fresh).item(), network.error(1, fresh).item()))
            optimizer.zero_grad()
            sum((network.error(task, seen) for task in tasks), torch.zeros(())).backward()
            optimizer.step()
    return told


def tell(title: str, task: str, before: list[float], after: list[float]) -> None:
    """Print how the errors on a task changed, each list sorted."""
    print(
        f"{title:<30} error on {task}: median {median(before):.4f} before, {median(after):.4f} after"
        f" ({after[1]:.4f} … {after[-2]:.4f} in 18 of 20 seeds)"
    )


def draw(axes: Axes, title: str, runs: list[list[tuple[float, float]]]) -> None:
    """Medians over the seeds, with a band that holds 18 of 20."""
    steps = [n * EVERY for n in range(len(runs[0]))]
    for task, name in enumerate("AB"):
        columns = [sorted(run[n][task] for run in runs) for n in range(len(steps))]
        (line,) = axes.plot(steps, [median(column) for column in columns], label=f"task {name}")
        lows, highs = [column[1] for column in columns], [column[-2] for column in columns]
        axes.fill_between(steps, lows, highs, color=line.get_color(), alpha=0.2)
        tell(title, name, columns[0], columns[-1])
    axes.set(xlabel="steps on task B", title=title, yscale="log")


def main() -> None:
    """Train, draw the errors, print their medians."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "shared_representation.png")
    figure, panels = pyplot.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
    draw(panels[0], "task B alone", [train(seed, replay=False) for seed in range(SEEDS)])
    draw(panels[1], "task B, and A's points again", [train(seed, replay=True) for seed in range(SEEDS)])
    panels[0].set_ylabel("error on points never trained on")
    panels[0].legend()
    figure.savefig(target, dpi=120)
    print(f"drawn to {target}")


if __name__ == "__main__":
    main()
