"""What `pytest_forgetting` exports: lazily, typed, and all of it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import pytest_forgetting
from pytest_forgetting import testing, training

ROOT = Path(__file__).parents[1]
USES = ROOT / "tests" / "typing" / "api_uses.py"


def test_every_public_name_is_there() -> None:
    """And says where users import it from."""
    for name in pytest_forgetting.__all__:
        assert getattr(pytest_forgetting, name).__doc__, name
        assert name in dir(pytest_forgetting)


def test_type_checkers_see_every_public_name() -> None:
    """What is imported lazily is imported for them as well."""
    tree = ast.parse(Path(pytest_forgetting.__file__).read_text(encoding="utf-8"))
    seen = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert set(pytest_forgetting.__all__) <= seen


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As of any module."""
    with pytest.raises(AttributeError, match="module 'pytest_forgetting' has no attribute 'compair'"):
        pytest_forgetting.compair  # noqa: B018 - looking it up is what is tried


def test_public_names_need_no_torch() -> None:
    """All but the callback of transformers' can be imported without, and importing the package imports none of them."""
    code = (
        "import sys, pytest_forgetting as p\n"
        "early = [m for m in sys.modules if m.startswith('pytest_forgetting.')]\n"
        "names = [getattr(p, name) for name in p.__all__ if name != 'ForgettingCallback']\n"
        "print(early, sorted({'torch', 'transformers', 'peft'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[] []\n"


def test_the_uses_name_everything_public() -> None:
    """The file that the type checkers read leaves nothing out."""
    used = {node.id for node in ast.walk(ast.parse(USES.read_text(encoding="utf-8"))) if isinstance(node, ast.Name)}
    assert set(pytest_forgetting.__all__) <= used


@pytest.mark.parametrize("module", [testing, training])
def test_the_uses_name_everything_in_public_modules(module: ModuleType) -> None:
    """As attributes, since some names stand in more than one."""
    name = module.__name__.rpartition(".")[2]
    tree = ast.walk(ast.parse(USES.read_text(encoding="utf-8")))
    parts = [(ast.unparse(node.value), node.attr) for node in tree if isinstance(node, ast.Attribute)]
    assert set(module.__all__) == {part for of, part in parts if of == name}


def test_pyright_takes_the_uses(tmp_path: Path) -> None:
    """In its strict mode; mypy reads the file with all others."""
    pytest.importorskip("basedpyright")
    home = str(Path(pytest_forgetting.__file__).parents[1])
    project = tmp_path / "pyrightconfig.json"
    project.write_text(
        json.dumps({"include": [str(USES)], "typeCheckingMode": "strict", "extraPaths": [home]}), encoding="utf-8"
    )
    python = ["--pythonpath", sys.executable]
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--project", str(project), *python]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(run.stdout)
    assert found["summary"]["filesAnalyzed"] == 1
    assert [each["message"] for each in found["generalDiagnostics"]] == []
