"""How many GPUs and minutes large models and large suites take, worked out from what was measured.

    python -m benchmarks.capacity                 # the tables of docs/capacity.md
    python -m benchmarks.capacity --measure       # what a case weighs in the store and between processes, measured anew

The GPU's time is that of its data sheet's bandwidth and matrix rate, over the share of such ceilings that decoding was
measured to reach (`benchmarks.gpu`): on a GPU where results/gpu.json has it, else on a CPU. What the driver, the store
and the network take of each case is measured (`benchmarks.many_cases`, `benchmarks.ray_engine`, and here).
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabulate import tabulate

from benchmarks.ceilings import Ceilings, Shape
from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.requests import Request
from pytest_forgetting.answers.store import Store

RESULTS = Path(__file__).parent / "results"
PROMPT, NEW, ROWS = 160, 64, 256
"""Tokens of a prompt and of an answer, and rows of a batch: the work of `benchmarks.gpu`."""
SIDES = 2
GPUS = (1, 8, 64)
STORED = 4096
NETWORK = 1.25e9
"""Bytes a second: 10 Gbit/s."""


def llama(hidden: int, layers: int, intermediate: int, vocabulary: int = 128_256, kv: int = 1024) -> Shape:
    """The shape of a Llama 3.1 in bfloat16; `kv` is the width of all its keys."""
    layer = 2 * hidden * hidden + 2 * hidden * kv + 3 * hidden * intermediate
    return Shape(layers * layer, vocabulary * hidden, 2 * layers * kv * 2, 2)


MODELS = {"8 B": llama(4096, 32, 14_336), "70 B": llama(8192, 80, 28_672)}
GPU, MEMORY = Ceilings(3.35e12, 989e12), 80e9
"""NVIDIA H100 SXM, from its data sheet: bytes a second, dense bfloat16 operations a second, bytes of memory."""


@dataclass(frozen=True)
class Measured:
    """What single cases cost, and how near to its ceilings decoding comes."""

    share: float
    share_from: str
    driver_seconds: float
    """Of a case: collecting, grading, comparing, reporting."""
    driver_bytes: float
    store_seconds: float
    """Of an answer, in shares of 128."""
    store_bytes: float
    travel_bytes: float
    """Of a request and its answer, between driver and actor."""

    @classmethod
    def read(cls, folder: Path = RESULTS) -> Measured:
        """From the results of the benchmarks."""
        decoding = folder / "gpu.json"
        if not decoding.exists():
            decoding = folder / "cpu.json"
        told = json.loads(decoding.read_text())
        widest = max(told["rates"], key=lambda row: row["rows"])
        seconds, kilobytes = (row["values"] for row in json.loads((folder / "many-cases.json").read_text())["rows"])
        stored = json.loads((folder / "ray.json").read_text())["stored_per_second_by_share"]
        weighed = json.loads((folder / "capacity.json").read_text())
        return cls(
            widest["share of the limit"], f"{told['device']}, {widest['model']} at {widest['rows']} rows",
            sorted(seconds)[len(seconds) // 2] / 1e3, sorted(kilobytes)[len(kilobytes) // 2] * 1e3,
            1 / stored["128"], weighed["store_bytes"], weighed["travel_bytes"],
        )  # fmt: skip


def weigh() -> dict[str, float]:
    """Bytes that one answer of `NEW` tokens takes in a store, and between two processes."""
    answers = {os.urandom(32): Answer("word " * NEW, "eos", tuple(range(n, n + NEW))) for n in range(STORED)}
    with tempfile.TemporaryDirectory() as name:
        store = Store(Path(name))
        store.keep(answers)
        store.close()
        stored = sum(each.stat().st_size for each in Path(name).rglob("*") if each.is_file())
    request = Request("word " * PROMPT, (), max_new_tokens=NEW)
    travel = len(pickle.dumps(request)) + len(pickle.dumps(next(iter(answers.values()))))
    return {"store_bytes": stored / STORED, "travel_bytes": float(travel)}


def stages(shape: Shape, cases: int, gpus: int, known: Measured) -> dict[str, float]:
    """Seconds that each part of a run takes by itself; in a long run they overlap, and the longest decides."""
    batch = GPU.seconds(shape, [[PROMPT] * ROWS], NEW) / known.share / ROWS
    return {
        "GPUs": SIDES * cases * batch / gpus,
        "driver": cases * known.driver_seconds,
        "store": SIDES * cases * known.store_seconds,
        "network": SIDES * cases * known.travel_bytes / NETWORK,
    }


def least_gpus(shape: Shape) -> int:
    """GPUs whose memory holds one model, a tenth of it left for keys and values."""
    return -int(-(shape.body + 2 * shape.head) * shape.width // (0.9 * MEMORY))


def rows(known: Measured) -> list[dict[str, Any]]:
    """The table: minutes, and which part decides."""
    told = []
    for name, shape in MODELS.items():
        for cases in (10**4, 10**5, 10**6):
            row: dict[str, Any] = {"model": name, "cases": f"{cases:,}"}
            for gpus in GPUS:
                parts = stages(shape, cases, gpus, known)
                longest = max(parts, key=lambda each: parts[each])
                fits = gpus >= least_gpus(shape)
                row[f"{gpus} GPU{'s' * (gpus > 1)}"] = f"{parts[longest] / 60:,.1f} ({longest})" if fits else "–"
            told.append(row)
    return told


def shown(known: Measured) -> str:
    """In Markdown."""
    takes = {
        "GPU time, one H100, both models, 8 B": f"{_of_one('8 B', known) * 1e3:.1f} ms",
        "the same, 70 B, as if on one H100": f"{_of_one('70 B', known) * 1e3:.0f} ms",
        "driver's time": f"{known.driver_seconds * 1e3:.2f} ms",
        "driver's memory": f"{known.driver_bytes / 1e3:.1f} kB",
        "store's time, two answers": f"{SIDES * known.store_seconds * 1e3:.3f} ms",
        "store's bytes on the disk, two answers": f"{SIDES * known.store_bytes / 1e3:.1f} kB",
        "bytes between driver and actors": f"{SIDES * known.travel_bytes / 1e3:.1f} kB",
    }
    parts = [{"a case takes": what, "": figure} for what, figure in takes.items()]
    tables = [tabulate(each, headers="keys", tablefmt="github", disable_numparse=True) for each in (parts, rows(known))]
    reached = f"Decoding reached {known.share:.0%} of the ceilings ({known.share_from})."
    return f"{reached}\n\n{tables[0]}\n\nMinutes, and what decides them:\n\n{tables[1]}"


def _of_one(name: str, known: Measured) -> float:
    return stages(MODELS[name], 1, 1, known)["GPUs"]


def main() -> None:
    """Print the tables, after measuring anew if that is wanted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--measure", action="store_true", help="what a case weighs, into results/capacity.json")
    if parser.parse_args().measure:
        (RESULTS / "capacity.json").write_text(json.dumps(weigh(), indent=1) + "\n")
    print(shown(Measured.read()))


if __name__ == "__main__":
    main()
