"""Suites that the documentation shows."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_forgetting.suites.loading import load_suite
from pytest_forgetting.suites.schema import GateKeys, SuiteKeys

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/suites.md", "docs/gates.md", "docs/machine-readable.md")


def shown() -> Iterator[tuple[str, str]]:
    """Every suite in the pages, fenced or indented, with its kind."""
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        fenced = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
        indented = [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n)+", text, re.MULTILINE)]
        for block in (*fenced, *indented):
            if kind := re.search(r"^forgetting: (\w+)$", block, re.MULTILINE):
                yield kind[1], block


@pytest.mark.parametrize(("kind", "text"), list(shown()))
def test_a_documented_suite_can_be_read(tmp_path: Path, kind: str, text: str) -> None:
    """As it stands on the page."""
    path = tmp_path / "s.yaml"
    path.write_text(text, encoding="utf-8")
    suite = load_suite(path)
    assert suite.kind == kind
    assert len(suite.cases) == text.count("  - ")


def test_choices_and_texts_are_shown() -> None:
    """The pages have an example of each."""
    assert {"choice", "text", "qa"} <= {kind for kind, _ in shown()}


def test_the_keys_in_the_table_are_keys() -> None:
    """What the page says can be written can be written."""
    table = (ROOT / "docs/suites.md").read_text(encoding="utf-8").partition("| key of a suite")[2].partition("\n\n")[0]
    named = {name for line in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", line.split("|")[1])}
    assert named
    assert named <= set(SuiteKeys.model_fields) | set(GateKeys.model_fields)
