"""Speed side by side with what a user would run instead, and the figures that are to stay small.

    python -m benchmarks.speed --model FOLDER --stories FOLDER --domain FILE --work FOLDER [NAME …]

Each benchmark runs both sides in turns, in processes of their own, holds their answers against each other, and writes
benchmarks/results/NAME.json. Prints README's tables of all results that lie there; `--table` prints them alone.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.speed.benchmarks import BENCHMARKS
from benchmarks.speed.plot import draw
from benchmarks.speed.rows import Row, as_json, from_json, tables
from benchmarks.speed.setting import Setting, parser_of, setting_of

RESULTS = Path(__file__).parents[1] / "results"
LIBRARIES = ("torch", "transformers", "pytest")


def arguments() -> argparse.Namespace:
    """Of the command line."""
    parser = parser_of((__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON files and the picture")
    parser.add_argument("--table", action="store_true", help="print the tables of earlier results and stop")
    chosen = parser.parse_intermixed_args()
    strange = sorted(set(chosen.names) - set(BENCHMARKS))
    if strange:
        sys.exit(f"there is no benchmark {', '.join(strange)}; there are {', '.join(BENCHMARKS)}")
    return chosen


def machine(repeats: int) -> dict[str, Any]:
    """What the figures depend on."""
    known = {}
    for library in LIBRARIES:
        try:
            known[library] = version(library)
        except PackageNotFoundError:
            known[library] = "absent"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"processor": platform.machine(), "cores": cores, "threads": os.environ.get("OMP_NUM_THREADS", "default"),
            "load": os.getloadavg()[0], "python": platform.python_version(), "repeats": repeats, **known}  # fmt: skip


def read(results: Path) -> list[Row]:
    """All rows on disk, in the order of the benchmarks."""
    paths = [results / f"{name}.json" for name in BENCHMARKS]
    return [from_json(row) for path in paths if path.exists() for row in json.loads(path.read_text())["rows"]]


def measure(names: Sequence[str], setting: Setting, results: Path) -> None:
    """Run benchmarks, each written as soon as it is done."""
    results.mkdir(parents=True, exist_ok=True)
    for name in names:
        print(f"{name}: {' '.join((BENCHMARKS[name].__doc__ or '').split())}", flush=True)
        on = machine(setting.repeats)
        told = {"machine": on, "rows": [as_json(row) for row in BENCHMARKS[name](setting)]}
        (results / f"{name}.json").write_text(json.dumps(told, indent=1) + "\n")


def main() -> None:
    """Measure, print, draw."""
    chosen = arguments()
    if not chosen.table:
        setting = setting_of(chosen)
        measure(chosen.names or list(BENCHMARKS), setting, chosen.results)
    rows = read(chosen.results)
    print(f"\n{tables(rows)}")
    if not draw(rows, chosen.results / "speed.png"):
        print("\nno picture: matplotlib is not installed, or nothing was compared")


if __name__ == "__main__":
    main()
