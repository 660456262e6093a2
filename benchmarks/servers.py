"""How much sooner a server's models have answered with 16 requests in flight than with one at a time.

    python -m benchmarks.servers [CASES] [REPEATS]

Each way runs the whole command, `pytest --model URL#tuned --baseline URL#base`, on a server that takes 50 ms for an
answer, however many it is asked for at once, and on `transformers serve` with two models of random weights, which
answers one request after the other. Prints the seconds that the report tells for both models' answers (medians), and
whether both ways gave the same answers.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from tests.serving import Said, TinyVLLM, serving
from tests.tiny_models import tiny_llama

LATENCY = 0.05
AT_ONCE = (1, 16)
SHAPE: dict[str, Any] = {"hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 4, "num_attention_heads": 4}
"""Of the models behind `transformers serve`."""
TOKENS = 24


def write_suite(folder: Path, cases: int) -> None:
    """`many.yaml`."""
    rows = (json.dumps({"id": f"c{n}", "question": f"Question {n}?", "answer": str(n)}) for n in range(cases))
    (folder / "cases.jsonl").write_text("\n".join(rows) + "\n")
    (folder / "many.yaml").write_text(f"forgetting: qa\nmax_new_tokens: {TOKENS}\nsource: cases.jsonl\n")


def run(folder: Path, model: str, baseline: str, at_once: int) -> tuple[float, float, list[Any]]:
    """Seconds of the command, those for both models' answers, and the answers."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "many.yaml"]
    options = [f"--model={model}", f"--baseline={baseline}", f"--batch-size={at_once}"]
    environment = {**os.environ, "PYTEST_FORGETTING_CACHE": str(folder / "cache")}
    environment["PYTHONPATH"] = str(Path(__file__).parents[1])
    started = time.perf_counter()
    done = subprocess.run(
        [*command, *options, "--forgetting-report=report.json"],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - started
    if done.returncode not in (0, 1):
        sys.exit(f"servers: exit {done.returncode}\n{done.stdout}{done.stderr}")
    report = json.loads((folder / "report.json").read_text())
    timing = report["timing"]
    said = [[case[side]["answer"] for side in ("baseline", "model")] for case in report["cases"]]
    return seconds, timing["baseline_seconds"] + timing["model_seconds"], said


def compare(what: str, folder: Path, model: str, baseline: str, repeats: int) -> None:
    """Both ways in turn, `repeats` times."""
    runs: dict[int, list[tuple[float, float, list[Any]]]] = {at_once: [] for at_once in AT_ONCE}
    for _ in range(repeats):
        for at_once in AT_ONCE:
            runs[at_once].append(run(folder, model, baseline, at_once))
    whole, asking = ({n: median(each[k] for each in its) for n, its in runs.items()} for k in (0, 1))
    one, many = AT_ONCE
    same = all(each[2] == runs[one][0][2] for its in runs.values() for each in its)
    print(
        f"| {what} | {asking[one]:.2f} s | {asking[many]:.2f} s | {asking[one] / asking[many]:.1f} |"
        f" {whole[one]:.1f} s | {whole[many]:.1f} s | {'yes' if same else 'no'} |",
        flush=True,
    )


@contextmanager
def transformers_serve(folder: Path) -> Iterator[str]:
    """The address of a server that loads what is named."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).parent / "transformers"), "serve", "--host=127.0.0.1", f"--port={port}"]
    with (folder / "serve.log").open("w") as log:
        server = subprocess.Popen([*command, "--device=cpu", "--dtype=float32"], stdout=log, stderr=log)
    try:
        until = time.monotonic() + 120
        while not _answers(f"http://127.0.0.1:{port}/health"):
            if time.monotonic() > until or server.poll() is not None:
                sys.exit(f"servers: transformers serve did not start\n{(folder / 'serve.log').read_text()[-2000:]}")
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(timeout=30)


def _answers(address: str) -> bool:
    try:
        with urlopen(address):
            return True
    except URLError:
        return False


def main() -> None:
    """Serve, run, print."""
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    folder = Path(tempfile.mkdtemp())
    write_suite(folder, cases)
    print(f"{cases} cases, asked of two models; medians of {repeats} runs")
    print(
        "| server | answers, 1 in flight | answers, 16 | ratio | whole command, 1 | whole command, 16 | same answers |"
    )
    print("|---|---|---|---|---|---|---|", flush=True)
    answer = {"choices": [{"message": {"content": "Paris"}, "finish_reason": "stop"}]}
    with serving(TinyVLLM({}, latency=LATENCY)) as server:
        server.fault = lambda _: Said(answer)
        compare(f"{LATENCY * 1000:.0f} ms an answer", folder, server.ref("tuned"), server.ref("base"), repeats)
    base, tuned = (tiny_llama(folder / name, seed, **SHAPE) for seed, name in enumerate(("base", "tuned")))
    with transformers_serve(folder) as url:
        compare("`transformers serve`", folder, f"{url}#{tuned}", f"{url}#{base}", repeats)


if __name__ == "__main__":
    main()
