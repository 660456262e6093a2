"""What users install: what the wheel carries, that the tests run on it, and that the source distribution has them."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

import pytest_forgetting

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pytest_forgetting"
ADDED = {
    "pytest_forgetting/docs/causes.md": ROOT / "docs" / "causes.md",
    "pytest_forgetting/docs/mitigations.md": ROOT / "docs" / "mitigations.md",
    **{f"pytest_forgetting/example_suites/{path.name}": path for path in (ROOT / "example_suites").iterdir()},
}
"""What lies beside the package in a checkout, by its place in the wheel."""
ABOUT = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
SAMPLES = ("tests/grading", "tests/linting", "tests/test_readme_tree.py")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with wheel and source distribution, built from this checkout."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Iterator[ZipFile]:
    """The wheel, open."""
    with ZipFile(next(built.glob("*.whl"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def unpacked(built: Path) -> Path:
    """The source distribution's one folder, unpacked."""
    archive = next(built.glob("*.tar.gz"))
    with tarfile.open(archive) as opened:
        opened.extractall(built, filter="data")
    return built / archive.name.removesuffix(".tar.gz")


@pytest.mark.skipif("WHEEL_IS_TESTED" not in os.environ, reason="`make test` is what installs the wheel")
def test_the_installed_wheel_is_what_is_tested(tmp_path: Path) -> None:
    """In this process, a worker of xdist's, and in those that tests start."""
    asked = [sys.executable, "-c", "import pytest_forgetting; print(pytest_forgetting.__file__)"]
    elsewhere = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()
    assert elsewhere == pytest_forgetting.__file__
    assert Path(elsewhere).is_relative_to(sys.prefix)
    assert not PACKAGE.samefile(Path(elsewhere).parent)


def test_the_wheel_carries_the_package_and_nothing_else(wheel: ZipFile) -> None:
    """Each module and each file that modules read; no tests, and nothing that was left by running."""
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    files = (path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    assert names == {path.relative_to(ROOT).as_posix() for path in files} | set(ADDED)
    about = {name.partition(".dist-info/")[2] for name in wheel.namelist() if name not in names}
    assert about == set(ABOUT)


@pytest.mark.parametrize(
    "name",
    [
        "py.typed",
        "demo/data/medication.jsonl",
        "demo/data/general/geography.jsonl",
        "reporting/report.schema.json",
        "reporting/html_report/templates/report.html.jinja",
        "reporting/html_report/templates/report.css",
        "reporting/html_report/templates/report.js",
        "example_suites/general_qa.yaml",
        "example_suites/suite.schema.json",
        "docs/mitigations.md",
    ],
)
def test_what_users_need_besides_modules_is_in_the_wheel(wheel: ZipFile, name: str) -> None:
    """Types, facts of the demo, schemas, the report's page, starter suites, the pages that advice names."""
    assert wheel.getinfo(f"pytest_forgetting/{name}").file_size > 0 or name == "py.typed"


def test_what_is_added_is_what_lies_beside_the_package(wheel: ZipFile) -> None:
    """One home for each: the wheel has a copy."""
    assert {name: wheel.read(name) for name in ADDED} == {name: path.read_bytes() for name, path in ADDED.items()}


def test_tests_of_the_source_distribution_can_be_collected(unpacked: Path) -> None:
    """With their helpers, and with what they read beside the package."""
    assert collected(unpacked, *SAMPLES) == collected(ROOT, *SAMPLES)


@pytest.mark.slow
def test_the_source_distribution_has_all_tests(unpacked: Path) -> None:
    """As many as the checkout has."""
    assert collected(unpacked) == collected(ROOT)


def collected(folder: Path, *arguments: str) -> list[str]:
    """The tests that pytest finds in `folder`, whose package it imports."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-qq", "-p", "no:cacheprovider", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return [line for line in ran.stdout.splitlines() if line.startswith("tests/")]
