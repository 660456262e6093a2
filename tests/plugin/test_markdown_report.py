"""`--forgetting-report report.md`, as a user would ask for it."""

import pytest

from tests.plugin.conftest import Run


def test_the_markdown_report_tells_what_the_terminal_tells(pytester: pytest.Pytester, capitals: Run) -> None:
    """Decision, table, losses, causes and advice of the one comparison, with the settings of the run."""
    options = ("--forgetting-report", "out/report.md", "--forgetting-confidence", "0.9")
    capitals(*options, wrong={"Spain": "@octocat | **Barcelona**", "Peru": "Cusco"})
    text = (pytester.path / "out/report.md").read_text(encoding="utf-8")
    assert text.startswith("## Forgetting: FAIL\n\n`new` against `old` · 1 suite · 5 cases\n")
    assert "| 90 % interval | verdict |" in text
    assert "**3 retained, 2 forgotten, 0 learned, 0 unknown**" in text
    assert "- `What is the capital of Spain?` · `capitals.yaml:7`\n" in text
    assert " · now `@octocat `&#124;` **Barcelona**`\n" in text
    assert "\n- **next**: " in text
