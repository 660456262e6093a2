"""`pytest --forgetting-explain`: what advice names can be read where the package is installed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from pytest_forgetting.commands.explaining import PAGES
from tests.plugin.conftest import Run

ROOT = Path(__file__).parents[2]
PLACES = re.findall(r"docs/\w+\.md#[\w-]+", (ROOT / "pytest_forgetting/comparison/advice.py").read_text("utf-8"))


@pytest.mark.parametrize("place", sorted(set(PLACES)))
def test_every_place_that_advice_names_can_be_read(pytester: pytest.Pytester, place: str) -> None:
    """The section alone, from its heading on."""
    result = pytester.runpytest_inprocess("--forgetting-explain", place)
    assert result.ret == 0
    title = result.outlines[0].removeprefix("## ").lower()
    assert re.sub(r"[^\w\- ]", "", title).replace(" ", "-") == place.partition("#")[2]
    assert len([line for line in result.outlines if line.startswith("## ")]) == 1


def test_without_a_place_it_is_the_page_on_what_to_do(pytester: pytest.Pytester) -> None:
    """The whole of it, as it stands in the repository."""
    said = pytester.runpytest_inprocess("--forgetting-explain").outlines
    assert said == (ROOT / "docs" / "mitigations.md").read_text(encoding="utf-8").strip().splitlines()


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("docs/nothing.md", "no page 'docs/nothing.md' to explain; there are causes and mitigations"),
        ("causes#nothing", "docs/causes.md has no section 'nothing'; it has how-causes-are-told-apart, "),
        ("../../etc/passwd", "no page '../../etc/passwd' to explain"),
    ],
)
def test_a_place_that_is_not_there_is_wrong_usage(pytester: pytest.Pytester, place: str, told: str) -> None:
    """It is told which there are."""
    result = pytester.runpytest_inprocess("--forgetting-explain", place)
    assert result.ret == 4
    assert told in result.stderr.str()


def test_the_wheel_carries_the_pages() -> None:
    """Beside the modules that look for them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    carried = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert {carried[f"docs/{page}.md"] for page in PAGES} == {f"pytest_forgetting/docs/{page}.md" for page in PAGES}
    assert {place.partition(".md")[0].removeprefix("docs/") for place in PLACES} == set(PAGES)


def test_a_run_with_losses_says_how_to_read_on(capitals: Run) -> None:
    """Below its advice."""
    result = capitals(wrong={"Spain": "Barcelona", "Peru": "Cusco"})
    result.stdout.fnmatch_lines(["next: *", "read on: pytest --forgetting-explain docs/mitigations.md#*"])
