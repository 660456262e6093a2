"""One picture of the comparisons: how many times as long the other side takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.speed.rows import Comparison, Row


def draw(rows: Sequence[Row], path: Path) -> bool:
    """Write a PNG; False where there is no matplotlib, or nothing to draw."""
    compared = [row for row in rows if isinstance(row, Comparison)][::-1]
    try:
        import matplotlib
    except ImportError:
        return False
    if not compared:
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 1.2 + 0.45 * len(compared)), layout="constrained")
    middles = [median(row.ratios) for row in compared]
    below = [middle - min(row.ratios) for middle, row in zip(middles, compared, strict=True)]
    above = [max(row.ratios) - middle for middle, row in zip(middles, compared, strict=True)]
    bars = axes.barh([f"{row.what}\nagainst {row.against}" for row in compared], middles, xerr=[below, above])
    axes.bar_label(bars, [f"{middle:.1f} ×" for middle in middles], padding=6)
    axes.scatter([row.target for row in compared], range(len(compared)), marker="|", s=300, color="black", zorder=3,
                 label="wanted")  # fmt: skip
    axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlabel("seconds of the other side / ours (more is better)")
    axes.tick_params(axis="y", labelsize=8)
    axes.margins(x=0.15)
    figure.legend(loc="outside upper right", frameon=False)
    figure.savefig(path, dpi=100)
    return True
