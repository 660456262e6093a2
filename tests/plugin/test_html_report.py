"""`--forgetting-report report.html`, as a user asks for it."""

import re

import pytest

from pytest_forgetting.option_values import REPORT_SUFFIXES
from pytest_forgetting.reporting.files import WRITERS
from tests.plugin.conftest import Run

WRONG = {"Spain": "Barcelona", "Peru": "</script><b>Cusco</b> \x1b[2J \ud800"}


def test_the_html_report_is_written_and_named(pytester: pytest.Pytester, capitals: Run) -> None:
    """Its folder is made; what models said cannot end its script, nor keep it from being written."""
    result = capitals("--forgetting-report", "out/report.html", wrong=WRONG)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["report: *report.html"])
    html = (pytester.path / "out/report.html").read_text(encoding="utf-8")
    assert "new forgot 2 of 5 cases that old got right" in html
    assert html.count("</script>") == 3
    assert "<b>Cusco" not in html


def test_equal_runs_write_equal_pages(pytester: pytest.Pytester, capitals: Run) -> None:
    """Outside the element `timing` two runs differ nowhere."""
    pages = []
    for name in ("one.html", "two.html"):
        capitals("--forgetting-report", name, wrong=WRONG)
        html = (pytester.path / name).read_text(encoding="utf-8")
        pages.append(re.sub(r'<tbody id="timing">.*?</tbody>', "", html, flags=re.DOTALL))
    assert pages[0] == pages[1]


def test_every_kind_of_report_that_is_taken_can_be_written() -> None:
    """What the option allows is what there are writers for."""
    assert set(REPORT_SUFFIXES) == set(WRITERS)
