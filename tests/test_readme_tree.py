"""The tree in README."""

from __future__ import annotations

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
