"""Names, questions and references of files that others wrote: none of them commands a terminal or a CI server."""

from __future__ import annotations

import json
import re

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make

from tests.recordings import record

COMMAND = "\n::error file=x::taken for a command"
CASES = [
    {"id": "a", "test": f"title{COMMAND}", "prompt": "Say.", "severity": "critical", "checks": ["is-json"]},
    {
        "id": "b",
        "test": "t",
        "prompt": f"Say{COMMAND}",
        "severity": "critical",
        "checks": [{"contains": f"x{COMMAND}"}],
    },
]
SUITE = f"forgetting: checklist\nname: {json.dumps('List' + COMMAND)}\ncases: {json.dumps(CASES)}\n"


@pytest.mark.parametrize("plugin", [(), ("-p", "no:github-actions-annotate-failures")], ids=["theirs", "ours"])
def test_nothing_in_names_is_a_command(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, plugin: tuple[str, ...]
) -> None:
    """Lines that GitHub reads as commands are annotations of ours, and no escape sequence gets through."""
    suite = pytester.path / "list.yaml"
    suite.write_text(SUITE)
    for name, said in (("old", {"a": "{}", "b": f"x{COMMAND}"}), ("new", {"a": f"no{COMMAND}", "b": COMMAND})):
        path = pytester.path / f"{name}.json"
        record(path, suite, said)
        kept = json.loads(path.read_text())
        kept["model"]["ref"] = f"{name}\x1b]0;title\x07{COMMAND}"
        path.write_text(json.dumps(kept))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = pytester.runpytest_inprocess("--model=new.json", "--baseline=old.json", "list.yaml", "-rA", *plugin)
    assert result.ret == 1
    text = result.stdout.str()
    assert "\x1b" not in text
    assert "taken for a command" in text
    commands = [line for line in re.split(r"[\r\n]+", text) if line.lstrip().startswith("::")]
    assert not [line for line in commands if line.lstrip().startswith("::error file=x")]
