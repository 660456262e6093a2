"""What `make mutants` found: counts for each module, and the survivors that tests/mutants.md does not explain."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tabulate import tabulate

ROOT = Path(__file__).parents[1]
EXPLAINED = ROOT / "tests" / "mutants.md"
KILLED, TIMED_OUT, SURVIVED, NO_TEST = {1, 3}, {-24, 24, 36, 152, 255}, {0}, {5, 33}
"""Exit codes that mutmut keeps of each mutant."""


def mutants(folder: Path) -> Iterator[tuple[str, str, int | None]]:
    """Yield of each mutant the module, its name (``module.function#number``), and how its tests ended."""
    for file in sorted(folder.rglob("*.py.meta")):
        module = file.relative_to(folder / "pytest_forgetting").as_posix().removesuffix(".py.meta").replace("/", ".")
        for key, code in json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"].items():
            function, _, number = key.rpartition(".")[2].rpartition("__mutmut_")
            name = re.sub("^x(_|ǁ)", "", function).replace("ǁ", ".")
            yield module, f"{module}.{name}#{number}", code


def explained(text: str) -> set[str]:
    """The mutants in the table of tests/mutants.md: a function, numbers, and why no test can tell them apart."""
    rows = re.findall(r"^\| `([\w.]+)` \| ([\d, ]+) \|", text, re.MULTILINE)
    return {f"{function}#{number}" for function, numbers in rows for number in numbers.split(", ")}


def main() -> int:
    """Print the counts as Markdown, then each unexplained survivor; 1 where there is one."""
    known, open_ones = explained(EXPLAINED.read_text(encoding="utf-8")), []
    counts: dict[str, Counter[str]] = {}
    for module, name, code in mutants(ROOT / "mutants"):
        tally = counts.setdefault(module, Counter())
        tally["mutants"] += 1
        tally["killed"] += code in KILLED
        tally["timed out"] += code in TIMED_OUT
        tally["not run"] += code is None
        if code in SURVIVED | NO_TEST:
            tally["survived"] += 1
            tally["explained"] += name in known
            open_ones += [name] * (name not in known)
    counts["all"] = sum(counts.values(), Counter())
    columns = ("mutants", "killed", "timed out", "survived", "explained", "not run")
    rows = [(module, *(tally[column] for column in columns)) for module, tally in counts.items()]
    print(tabulate(rows, ("module", *columns), tablefmt="github"))
    print(*open_ones, sep="\n")
    return bool(open_ones)


if __name__ == "__main__":
    sys.exit(main())
