"""The gate with other pytest plugins at work: what each of them shows and does, and that no verdict depends on it."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from unittest.mock import ANY

import pytest

from tests.compatibility.environments import RECORDED, run_in, two_recordings
from tests.plugin.conftest import Run
from tests.reports import read_report

TWO_LOST = {"Spain": "Barcelona", "Peru": "Cusco"}
OUTCOMES = {"passed": 3, "xfailed": 2, "failed": 1}
COUNTS = "3 retained, 2 forgotten, 0 learned, 0 unknown"
LOST = "*Capitals*5*40.0 pts*FAIL*"


def written(folder: Path) -> None:
    """The recordings and the suite beside a Python test of the user's."""
    two_recordings(folder)
    (folder / "own.py").write_text("def double(number):\n    return 2 * number\n")
    (folder / "test_own.py").write_text("from own import double\ndef test_own():\n    assert double(1) == 2\n")


@pytest.mark.parametrize("workers", [(), pytest.param(("-n2",), marks=pytest.mark.slow)], ids=["here", "workers"])
def test_a_gate_is_judged_once_where_failures_are_rerun(
    pytester: pytest.Pytester, capitals: Run, workers: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer does not change by being graded again; a flaky Python test beside it is rerun as ever."""
    pytest.importorskip("pytest_rerunfailures")
    monkeypatch.delenv("PYTEST_ADDOPTS")
    (pytester.path / "test_flaky.py").write_text(
        "from pathlib import Path\ndef test_flaky():\n    seen = Path('seen')\n    first = not seen.exists()\n"
        "    seen.touch()\n    assert not first\n"
    )
    result = capitals("--reruns=2", *workers, wrong=TWO_LOST, suites=("capitals.yaml", "test_flaky.py"))
    assert result.ret == 1
    assert result.parseoutcomes() == {"passed": 4, "xfailed": 2, "failed": 1, "rerun": 1}
    assert str(result.stdout).count("FAILED capitals.yaml::gate") == 1
    assert str(result.stdout).count(COUNTS) == 1


@pytest.mark.parametrize("how", [(), pytest.param(("-x",), marks=pytest.mark.slow)], ids=["ahead", "in windows"])
def test_no_item_is_charged_for_answers(tmp_path: Path, how: tuple[str, ...]) -> None:
    """Loading and asking a model take seconds, and are no part of an item that has less."""
    pytest.importorskip("pytest_timeout")
    from tests.tiny_models import tiny_llama

    tiny_llama(tmp_path / "base", seed=1)
    tiny_llama(tmp_path / "tuned", seed=2)
    two_recordings(tmp_path)
    sides = ("--model=./tuned", "--baseline=./base", "--forgetting-inconclusive=pass", "--device=cpu")
    done = run_in(tmp_path, *sides, "capitals.yaml", "--forgetting-no-store", "--timeout=1", *how)
    assert done.returncode == 0, done.stdout.decode()
    assert "timeout: 1.0s" in done.stdout.decode()


@pytest.mark.slow
def test_coverage_is_measured_in_workers(tmp_path: Path) -> None:
    """Of the user's own modules; the gate runs as without."""
    pytest.importorskip("pytest_cov")
    written(tmp_path)
    done = run_in(tmp_path, *RECORDED, "test_own.py", "--cov=own", "-n2")
    told = done.stdout.decode()
    assert done.returncode == 1, told
    assert re.search(r"^own\.py +2 +0 +100%$", told, re.MULTILINE)
    assert COUNTS in told


def test_an_html_report_shows_outcomes(pytester: pytest.Pytester, capitals: Run) -> None:
    """Each with pytest's own name, and a failing gate with its reason."""
    pytest.importorskip("pytest_html")
    result = capitals("--html=out.html", "--self-contained-html", wrong=TWO_LOST)
    assert result.ret == 1
    page = (pytester.path / "out.html").read_text(encoding="utf-8")
    for told in ("1 Failed,", "3 Passed,", "2 Expected failures,", "0 Errors,"):
        assert told in page
    assert "Capitals: FAIL" in page


def test_sugar_shows_table_and_counts(tmp_path: Path) -> None:
    """Its marks and its bar take the place of letters; each failure is told once, and what we say stands below."""
    pytest.importorskip("pytest_sugar")
    written(tmp_path)
    done = run_in(tmp_path, *RECORDED, "test_own.py", "--force-sugar")
    told = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout.decode())
    assert done.returncode == 1, told
    assert "capitals.yaml" in told
    assert re.search(r"100% █+\n", told)
    assert told.count("\nCapitals: FAIL  > 20 pts") == 1
    assert told.index("100%") < told.index("\nCapitals    5 ") < told.index(COUNTS) < told.index("Results (")


def test_asyncio_in_auto_mode_leaves_items_alone(pytester: pytest.Pytester, capitals: Run) -> None:
    """Coroutines beside a suite are awaited."""
    pytest.importorskip("pytest_asyncio")
    (pytester.path / "test_waits.py").write_text(
        "import asyncio\nasync def test_waits():\n    await asyncio.sleep(0)\n    assert asyncio.get_running_loop()\n"
    )
    result = capitals("-o", "asyncio_mode=auto", wrong=TWO_LOST, suites=("capitals.yaml", "test_waits.py"))
    assert result.parseoutcomes() == {**OUTCOMES, "passed": 4}


SWITCHES = {
    "pytest_randomly": ("--randomly-seed=1",),
    "xdist": ("-n2",),
    "pytest_timeout": ("--timeout=60",),
    "pytest_rerunfailures": ("--reruns=1",),
    "pytest_cov": ("--cov=own",),
    "pytest_html": ("--html=out.html",),
    "pytest_sugar": ("--force-sugar",),
    "pytest_asyncio": ("-o", "asyncio_mode=auto"),
}
"""What switches each of them on."""


def test_all_of_them_together_change_no_report(tmp_path: Path) -> None:
    """Shuffled, in two processes, rerun, timed, covered and shown in another way: as far as they are installed."""
    installed = [name for name in SWITCHES if find_spec(name) is not None]
    if len(installed) < 4:
        pytest.skip(f"of {', '.join(SWITCHES)} only {', '.join(installed)} are installed")
    written(tmp_path)
    command = (*RECORDED, "test_own.py", "--forgetting-report=report.json")
    run_in(tmp_path, *command, "-p", "no:randomly", "-p", "no:xdist")
    first = read_report(tmp_path / "report.json")
    done = run_in(tmp_path, *command, *(option for name in installed for option in SWITCHES[name]))
    told = (done.stdout + done.stderr).decode()
    assert done.returncode == 1, told
    assert told.count(COUNTS) == 1
    assert read_report(tmp_path / "report.json") == {**first, "timing": ANY}
