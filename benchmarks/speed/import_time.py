"""What the plugin adds to the imports of a pytest run that does not use it, by `python -X importtime`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchmarks.speed.processes import environment, run
from benchmarks.speed.setting import Setting

LINE = re.compile(r"^import time:\s+\d+ \|\s+(?P<total>\d+) \|(?P<indent> +)(?P<name>\S+)$")
PACKAGE = "pytest_forgetting"


def import_milliseconds(setting: Setting) -> float:
    """Time of the package's modules and of all that they are the first to import.

    By an import statement, as what pytest loads through `importlib` is missing from the list itself.
    """
    command = [setting.python, "-X", "importtime", "-c", f"import pytest, {PACKAGE}.plugin"]
    return sum(outermost(run(command, setting.work, environment(setting.work)).output)) / 1000


def outermost(output: str) -> Iterator[int]:
    """Microseconds of the package's modules, less those that another of its modules imports.

    A module's line comes behind those of the modules it imports, which are indented further.
    """
    within: int | None = None  # the indent of the package's module in whose imports we are, read from the end
    for found in filter(None, map(LINE.match, reversed(output.splitlines()))):
        indent = len(found["indent"])
        if within is not None and indent > within:
            continue
        ours = found["name"].partition(".")[0] == PACKAGE
        within = indent if ours else None
        if ours:
            yield int(found["total"])
