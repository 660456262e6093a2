"""`pytest --forgetting-schema`, as a user would redirect it into a file."""

from __future__ import annotations

import json

import pytest

from pytest_forgetting.commands.schemas import report_schema
from pytest_forgetting.suites.json_schema import suite_schema


@pytest.mark.parametrize("more", [(), ("-n", "2"), ("-v",), ("suites",)], ids=" ".join)
def test_the_schema_of_suites_is_all_that_is_printed(pytester: pytest.Pytester, more: tuple[str, ...]) -> None:
    """Pure JSON, exit 0, whatever else is on the command line; nothing is collected, and no model is needed."""
    folder = pytester.mkdir("suites")
    (folder / "s.yaml").write_text("forgetting: nonsense\n")
    result = pytester.runpytest_subprocess(*more, "--forgetting-schema")
    assert result.ret == 0
    assert json.loads(result.stdout.str()) == suite_schema()


def test_the_schema_of_reports_is_printed_too(pytester: pytest.Pytester) -> None:
    """`report` in the place of `suite`, the default."""
    result = pytester.runpytest_subprocess("--forgetting-schema", "report")
    assert json.loads(result.stdout.str()) == report_schema()
    assert pytester.runpytest_subprocess("--forgetting-schema=suite").stdout.str().startswith("{")


def test_an_unknown_schema_is_wrong_usage(pytester: pytest.Pytester) -> None:
    """Such as a folder that was meant as a path."""
    result = pytester.runpytest_subprocess("--forgetting-schema", "suites")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*: found 'suites', wanted one of suite, report; did you mean 'suite'[?]"])


def test_checks_of_a_conftest_are_in_the_schema(pytester: pytest.Pytester) -> None:
    """A team's own checks are completed like all others, where pytest has loaded their conftest."""
    folder = pytester.mkdir("suites")
    (folder / "conftest.py").write_text(
        "import pytest_forgetting\n@pytest_forgetting.check('polite')\ndef polite(text):\n    return True\n"
    )
    result = pytester.runpytest_subprocess("suites", "--forgetting-schema")
    assert json.loads(result.stdout.str()) == suite_schema(["polite"])
    assert '"not-polite"' in result.stdout.str()


def test_starter_suites_come_with_the_schema_that_they_name(pytester: pytest.Pytester) -> None:
    """So that an editor completes them from the start."""
    assert pytester.runpytest_subprocess("--forgetting-init").ret == 0
    schema = pytester.path / "example_suites" / "suite.schema.json"
    assert json.loads(schema.read_text(encoding="utf-8")) == suite_schema()
