"""One weight, two tasks: ``python examples/scalar.py [PNG]``. It needs matplotlib (`pytest-forgetting[report]`).

Task A wants the weight at 1, task B at −2; each loss is the squared distance. Trained on A and then on B, gradient
descent goes all the way over: nothing in B's loss knows of A. The path is the same at a tenth of the rate, only slower,
so it is the number of steps times the rate that decides how far it goes. A pull towards 1 of the same strength as B's
(EWC with F = 1, or L2-SP) ends half-way: both tasks are served by halves, as one weight cannot serve both.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

A, B = 1.0, -2.0
STEPS = 60


def path(rate: float, pull: float) -> list[float]:
    """The weight after each step on task B, from A; `pull` is the strength of a second term, pull (w − A)²."""
    weights = [A]
    for _ in range(STEPS):
        weight = weights[-1]
        weights.append(weight - rate * (2 * (weight - B) + 2 * pull * (weight - A)))
    return weights


def main() -> None:
    """Draw the paths, and print where they end."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "scalar.png")
    ways = {"rate 0.05": (0.05, 0.0), "rate 0.005": (0.005, 0.0), "rate 0.05, pulled towards A": (0.05, 1.0)}
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for label, (rate, pull) in ways.items():
        weights = path(rate, pull)
        axes.plot(weights, label=label)
        print(f"{label:<28} weight {weights[-1]:6.3f}   loss on A {(weights[-1] - A) ** 2:6.3f}   "
              f"on B {(weights[-1] - B) ** 2:6.3f}")  # fmt: skip
    for place, task in ((A, "task A wants 1"), (B, "task B wants −2")):
        axes.axhline(place, color="grey", linestyle=":", linewidth=1)
        axes.annotate(task, (STEPS, place), xytext=(0, 4), textcoords="offset points", ha="right", color="grey")
    axes.set(xlabel="steps on task B", ylabel="weight", ylim=(-2.2, 1.4), title="One weight pulled from 1 to −2")
    axes.legend(loc="center right", bbox_to_anchor=(1, 0.32))
    figure.savefig(target, dpi=120)
    print(f"drawn to {target}")


if __name__ == "__main__":
    main()
