"""The list of mutants that no test kills."""

import json
from importlib import import_module
from pathlib import Path

import pytest

from tests import survivors


def test_explained_functions_are_still_there() -> None:
    """A function that goes takes its rows with it."""
    known = survivors.explained(survivors.EXPLAINED.read_text(encoding="utf-8"))
    assert known
    for each in known:
        room, module, *names = each.partition("#")[0].split(".")
        found: object = import_module(f"pytest_forgetting.{room}.{module}")
        for name in names:
            found = getattr(found, name)
        assert callable(found)


def test_a_survivor_that_is_not_explained_is_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Counted by module; one that no test reaches has survived too, and one that was not run is told apart."""
    folder = tmp_path / "mutants" / "pytest_forgetting" / "grading"
    folder.mkdir(parents=True)
    key = "pytest_forgetting.grading.a."
    codes = {"x_f__mutmut_1": 1, "x_f__mutmut_2": 0, "xǁCǁg__mutmut_1": 33, "x_f__mutmut_3": -24, "x_f__mutmut_4": None}
    (folder / "a.py.meta").write_text(json.dumps({"exit_code_by_key": {key + name: codes[name] for name in codes}}))
    (tmp_path / "mutants.md").write_text("| `grading.a.f` | 2, 7 | the same |\n")
    monkeypatch.setattr(survivors, "ROOT", tmp_path)
    monkeypatch.setattr(survivors, "EXPLAINED", tmp_path / "mutants.md")
    assert survivors.main() == 1
    told = capsys.readouterr().out
    assert [cell.strip() for cell in told.splitlines()[2].split("|")[1:-1]] == [
        "grading.a",
        "5",
        "1",
        "1",
        "2",
        "1",
        "1",
    ]
    assert told.splitlines()[-1] == "grading.a.C.g#1"
    (tmp_path / "mutants.md").write_text("| `grading.a.f` | 2 | a |\n| `grading.a.C.g` | 1 | b |\n")
    assert survivors.main() == 0
