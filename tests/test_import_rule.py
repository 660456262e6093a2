"""Which room may import which."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "pytest_forgetting"
ORDER = ("suites", "grading", "comparison", "reporting")
HEAVY = {"torch", "transformers", "peft"}
MAY_BE_HEAVY = ("models", "answers", "training", "demo")
LIGHT = {"answers/store.py", "answers/stores.py", "answers/store_rows.py", "answers/planning.py"}
PYTEST_SIDE = {"plugin", "options", "fixtures", "session"}


def imported(path: Path) -> Iterator[str]:
    """Modules that `path` imports when it runs, those for type checkers left out."""
    tree = ast.parse(path.read_text())
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


FILES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))


@pytest.mark.parametrize("file", FILES)
def test_rooms_import_only_what_stands_before_them(file: str) -> None:
    """suites, grading, comparison, reporting: each knows only those before it; models know no answers, and both know
    no evaluation; nobody imports the pytest side."""
    room = file.split("/")[0]
    modules = list(imported(ROOT / file))
    if room in ORDER:
        later = {f"pytest_forgetting.{name}." for name in ORDER[ORDER.index(room) + 1 :]}
        later |= {f"pytest_forgetting.{name}." for name in (*MAY_BE_HEAVY, "evaluation", "api", "commands")}
        assert not [module for module in modules if module.startswith(tuple(later))]
    if room in ("models", "answers"):
        above = ("answers",) * (room == "models") + ("evaluation", "api", "commands", "training")
        whole = {f"pytest_forgetting.{name}." for name in above}
        assert not [module for module in modules if module.startswith(tuple(whole))]
    if "/" in file and room != "session":
        assert not [m for m in modules if m.split(".")[0] == "pytest_forgetting" and m.split(".")[1] in PYTEST_SIDE]


@pytest.mark.parametrize("file", FILES)
def test_torch_is_imported_where_models_are(file: str) -> None:
    """torch, transformers and peft stay in models, answers (less store and planning), training and demo."""
    allowed = file.split("/")[0] in MAY_BE_HEAVY and file not in LIGHT
    assert allowed or not [module for module in imported(ROOT / file) if module.split(".")[0] in HEAVY]
