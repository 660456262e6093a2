"""The pages that are made from the code."""

import re

import pytest

from pytest_forgetting.options import OPTIONS, Option
from pytest_forgetting.suites.check_schema import check_schema
from pytest_forgetting.suites.checks import NAMES
from pytest_forgetting.suites.schema import CaseKeys, GateKeys, SuiteKeys
from tests.docs.reference import DOCS, PAGES, options_reference, suite_reference, type_of


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_up_to_date(page: str) -> None:
    """`make docs` would write what stands there."""
    assert (DOCS / page).read_text(encoding="utf-8") == PAGES[page]()


def test_every_key_and_check_has_its_line() -> None:
    """With its type."""
    lines = suite_reference().splitlines()
    for name in (*SuiteKeys.model_fields, *GateKeys.model_fields, *CaseKeys.model_fields, *NAMES):
        assert any(line.startswith(f"| `{name}` |") for line in lines), name
    assert not any("|  |" in line for line in lines)


def test_every_option_has_its_line() -> None:
    """And says where it has no ini key."""
    lines = {option: line for option in OPTIONS for line in options_reference().splitlines() if named(option, line)}
    assert set(lines) == set(OPTIONS)
    assert all(("No ini key." in line) == (option.alone is not None) for option, line in lines.items())


def named(option: Option, line: str) -> bool:
    """Whether a line of the table is this option's."""
    return re.search(rf"--forgetting-{option.name}[ `]", line.partition(" | ")[0]) is not None


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "integer", "exclusiveMinimum": 0}, "whole number from 1"),
        ({"type": "array", "items": {"type": "string"}}, "list of: text"),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, "number"),
        ({"enum": ["a", "b"]}, "`a`, `b`"),
    ],
)
def test_types_are_told_in_words(schema: dict[str, object], told: str) -> None:
    """As a reader would say them."""
    assert type_of(schema, check_schema()) == told
