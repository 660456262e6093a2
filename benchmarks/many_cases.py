"""What pytest and the plugin themselves cost per case: a generated suite against two recordings, no model at all.

    python benchmarks/many_cases.py [CASES] [WORK_FOLDER]

Prints seconds and peak memory of collection and of the whole command, with and without `-n 2`, less those of an empty
pytest run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.recording import Recorded
from pytest_forgetting.answers.recording_file import write
from pytest_forgetting.answers.requests import requests_for
from pytest_forgetting.comparison.participants import Participant
from pytest_forgetting.models.source import Source
from pytest_forgetting.suites.loading import load_suite

MEASURE = """
import json, resource, subprocess, sys, time
started = time.perf_counter()
code = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE).returncode
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
print(json.dumps([code, time.perf_counter() - started, peak]))
"""
PAIR = ("--model=new.json", "--baseline=old.json", "many.yaml")


@dataclass(frozen=True)
class Cost:
    """Of one case in a whole run, less an empty run."""

    milliseconds: float
    kilobytes: float
    """Thousands of bytes, at the peak of the largest process."""


def generate(folder: Path, cases: int) -> None:
    """A suite of `cases` cases in 20 categories, two recordings that differ in one of 50, and a file with one test."""
    rows = (
        json.dumps({"id": f"c{n}", "question": f"Question {n}?", "answer": str(n), "category": f"k{n % 20}"})
        for n in range(cases)
    )
    (folder / "cases.jsonl").write_text("\n".join(rows) + "\n")
    (folder / "many.yaml").write_text("forgetting: qa\nsource: cases.jsonl\n")
    (folder / "test_nothing.py").write_text("def test_nothing(): pass\n")
    suite = load_suite(folder / "many.yaml")
    for name, wrong in (("old", 0), ("new", 50)):
        lines = [
            Recorded(
                suite.name,
                case.id,
                requests_for(case.prompt, chat=False)[0],
                Answer("?" if wrong and n % wrong == 0 else str(n), "eos"),
            )
            for n, case in enumerate(suite.cases)
        ]
        write(folder / f"{name}.json", Source(Participant(name, name)), lines)


def measured(folder: Path, *arguments: str, python: str = sys.executable) -> tuple[int, float, int]:
    """Exit code, seconds and peak MiB of a pytest command in `folder`."""
    command = [python, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", *arguments]
    environment = {**os.environ, "PYTEST_FORGETTING_CACHE": str(folder / "cache")}
    environment["PYTHONPATH"] = str(Path(__file__).parents[1])
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, *command],
        cwd=folder, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    code, seconds, peak = json.loads(run.stdout)
    return code, seconds, peak


def costs(cases: int, folder: Path, python: str) -> Cost:
    """Generate and run once."""
    generate(folder, cases)
    _, empty, least = measured(folder, "test_nothing.py", python=python)
    code, seconds, peak = measured(folder, *PAIR, python=python)
    if code not in (0, 1):
        sys.exit(f"many_cases: exit {code} in {folder}")
    return Cost((seconds - empty) * 1000 / cases, (peak - least) * 2**20 / 1000 / cases)


def main() -> None:
    """Generate, run, print."""
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    generate(folder, cases)
    _, empty, least = measured(folder, "test_nothing.py")
    print(f"an empty pytest run: {empty:.2f} s, {least} MiB")
    for options in (("--collect-only",), (), ("-n", "2"), ("--forgetting-report", "report.json")):
        code, seconds, peak = measured(folder, *PAIR, *options)
        per_case = (seconds - empty) / cases
        print(
            f"{cases} cases {' '.join(options) or 'plain'}: exit {code}, {seconds:.2f} s, {peak} MiB;"
            f" {per_case * 1e6:.0f} us and {(peak - least) * 1024 / cases:.1f} KiB a case"
        )


if __name__ == "__main__":
    main()
