"""What Ray costs beside the local engine on the same cores, and whether one store keeps up with many GPUs.

    python -m benchmarks.ray_engine [--cases 1600] [--repeats 2] [--out ray.json]

Two random Llamas of 26 million parameters answer a generated suite, once by the local engine with two threads, and once
by two actors of one thread each on a local Ray cluster; whole commands, start and end of the cluster included. Then
answers of 64 tokens are stored in shares, as a driver gets them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.making_models import SMALL
from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.store import Store
from tests.tiny_models import tiny_llama

CORES = 2
SHARES = (32, 128, 1024)
STORED = 16_384
"""Answers that are stored to find out how many it is in a second."""


def prepare(folder: Path, cases: int) -> None:
    """Two models and a suite."""
    for seed, name in enumerate(("base", "tuned")):
        tiny_llama(folder / name, seed=seed, **SMALL)
    rows = "".join(f"  - {{prompt: 'The number {n} is', answer: '{n % 10}', match: contains}}\n" for n in range(cases))
    (folder / "s.yaml").write_text(f"forgetting: qa\nmax_new_tokens: 48\ncases:\n{rows}")


def seconds(folder: Path, *options: str, threads: int) -> tuple[float, object]:
    """What a whole run takes, and its outcomes and answers; log-likelihoods round otherwise in other batches."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:randomly",
        "--model=./tuned",
        "--baseline=./base",
        "s.yaml",
    ]
    own = ("--forgetting-no-store", "--device=cpu", "--forgetting-report=report.json")
    started = time.perf_counter()
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    subprocess.run([*command, *own, *options], cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=False)
    taken = time.perf_counter() - started
    cases = json.loads((folder / "report.json").read_text())["cases"]
    return taken, [(each["id"], each["outcome"], each["baseline"], each["model"]) for each in cases]


def stored_per_second(folder: Path, share: int) -> float:
    """Answers that one store takes in a second, `share` at once."""
    store = Store(folder / f"store-{share}")
    answers = [
        {os.urandom(32): Answer("word " * 50, "eos", tuple(range(n, n + 64))) for n in range(share)}
        for _ in range(STORED // share)
    ]
    started = time.perf_counter()
    for each in answers:
        store.keep(each)
    taken = time.perf_counter() - started
    store.close()
    return STORED / taken


def main() -> None:
    """Measure, print, and write the figures where they are wanted."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--cases", type=int, default=1600)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, chosen.cases)
        ray = ("--forgetting-engine=ray", f"--forgetting-ray-actors={CORES}")
        local_runs, ray_runs = [], []
        for _ in range(chosen.repeats):  # in turns: what else the machine does befalls both
            taken, said = seconds(folder, threads=CORES)
            local_runs.append(taken)
            taken, also_said = seconds(folder, *ray, threads=1)
            ray_runs.append(taken)
            print(f"local {local_runs[-1]:.1f} s, ray {taken:.1f} s, same answers: {said == also_said}", flush=True)
        writes = {str(share): round(stored_per_second(folder, share)) for share in SHARES}
    told = {
        "cases": chosen.cases,
        "local_seconds": [round(each, 1) for each in local_runs],
        "ray_seconds": [round(each, 1) for each in ray_runs],
        "ratio": round(median(ray_runs) / median(local_runs), 2),
        "stored_per_second_by_share": writes,
    }
    print(json.dumps(told, indent=2))
    if chosen.out is not None:
        chosen.out.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
