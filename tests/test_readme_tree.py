"""The tree in README."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]


def drawn() -> list[str]:
    """The paths of the Python files that README's tree names, in its order."""
    tree = (ROOT / "README.md").read_text(encoding="utf-8").partition("## The tree")[2]
    paths, above = [], {0: "."}
    for line in tree.splitlines():
        name = line.split()[0] if line.startswith("    ") else ""
        depth = len(line) - len(line.lstrip())
        folder = next((above[d] for d in sorted(above, reverse=True) if d < depth), ".")
        if name.endswith("/"):
            above = {d: path for d, path in above.items() if d < depth} | {depth: f"{folder}/{name[:-1]}"}
        elif name.endswith(".py"):
            paths.append(f"{folder}/{name}".removeprefix("./"))
    return paths


def test_readme_tree_names_every_file() -> None:
    """A file that is added, moved or removed changes README too."""
    rooms = ("pytest_forgetting", "benchmarks", "examples")
    files = (path for room in rooms for path in (ROOT / room).rglob("*.py") if path.name != "__init__.py")
    assert sorted(drawn()) == sorted(str(path.relative_to(ROOT)) for path in files)


def test_each_folder_of_modules_says_what_lives_there() -> None:
    """In the docstring of its `__init__.py`; tests/typing has none, as that would hide the standard `typing`."""
    folders = {path.parent for room in ("pytest_forgetting", "tests") for path in (ROOT / room).rglob("*.py")}
    homes = {folder: folder / "__init__.py" for folder in folders - {ROOT / "tests" / "typing"}}
    assert [folder for folder, home in homes.items() if not home.is_file() or not docstring(home)] == []


def docstring(path: Path) -> str | None:
    """Of the module at `path`."""
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
