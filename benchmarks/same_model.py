"""A model against itself, asked in other batches and another order: what differs is rounding, and what is left of it.

    python benchmarks/same_model.py MODEL_FOLDER DATA_FOLDER

DATA_FOLDER has name_cloze.jsonl and next_sentence_4way.jsonl. For each type of number and each pair of batch sizes,
prints how many answers differ in their text, how many cases differ in their grade, and how many of those still do once
they were asked again in batches of one shape. Exits with 1 if float32 differs anywhere, or if any grade is left.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tabulate import tabulate

from pytest_forgetting import compare

GENERATED = "forgetting: qa\nmax_new_tokens: 24\nmatch: contains\nsource: {file}\n"
CHOSEN = "forgetting: choice\nsource: {{path: {file}, fields: {{prompt: context, answer: gold}}}}\n"
SUITES = (("name_cloze", GENERATED), ("next_sentence_4way", CHOSEN))
BATCHES = ((1, 64), (7, 64), (64, 13))
COUNTED = ("retained", "forgotten", "learned", "unknown")


def write_suites(data: Path, folder: Path) -> None:
    """Each suite twice: as it stands in `data`, and with its cases in the opposite order."""
    for name, text in SUITES:
        lines = (data / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        for order, rows in (("", lines), ("_reversed", lines[::-1])):
            (folder / f"{name}{order}.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
            (folder / f"{name}{order}.yaml").write_text(text.format(file=f"{name}{order}.jsonl"))


def twin(model: Path, folder: Path) -> Path:
    """A copy with a fingerprint of its own: the same weights, but a tokenizer whose file has one blank more."""
    copy = Path(shutil.copytree(model, folder / "twin"))
    tokenizer = copy / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    return copy


def row(model: Path, copy: Path, folder: Path, dtype: str, sizes: tuple[int, int]) -> list[str | int]:
    """Ask `model` in batches of the one size and one order, `copy` in the other, and count what differs."""
    store = Path(tempfile.mkdtemp(dir=folder))
    before, now = sizes
    options = {"dtype": dtype, "store": store}
    names = [name for name, _ in SUITES]
    compare(
        model=model,
        baseline=model,
        suites=[folder / f"{name}_reversed.yaml" for name in names],
        batch_size=before,
        **options,
    )
    told = compare(
        model=copy, baseline=model, suites=[folder / f"{name}.yaml" for name in names], batch_size=now, **options
    )
    results = told.results
    doubted = [result for result in results if result.first is not None]
    texts = sum(result.baseline.answer != result.model.answer or result.first is not None for result in results)
    left = sum(result.outcome in ("forgotten", "learned") for result in results)
    grades = left + sum(result.outcome in ("retained", "unknown") for result in doubted)
    return [dtype, f"{before} and {now}", len(results), texts, grades, left]


def main(model: Path, data: Path) -> int:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_suites(data, folder)
        copy = twin(model, folder)
        rows = [row(model, copy, folder, dtype, each) for dtype in ("float32", "bfloat16") for each in BATCHES]
    head = ["dtype", "batch sizes", "cases", "answers differ", "grades differ", "left when asked again"]
    print(tabulate(rows, head, tablefmt="github"))
    exact = all(entry[3] == 0 for entry in rows if entry[0] == "float32")
    return 0 if exact and all(entry[5] == 0 for entry in rows) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()))
