"""Names, questions and references of files that others wrote: none of them commands a terminal or a CI server."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make

from pytest_forgetting.errors import SuiteError
from pytest_forgetting.suites.loading import load_suite
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


ANYWHERE = "##[error]taken ##vso[task.setvariable variable=a]taken ##teamcity[a 'b']"
CASES_ANYWHERE = [
    {"id": "a", "test": ANYWHERE, "prompt": ANYWHERE, "severity": "critical", "checks": [{"contains": ANYWHERE}]},
    {"id": "b", "test": "t", "prompt": "p", "skip": ANYWHERE, "checks": [{"contains": "x"}]},
]


def test_no_other_ci_server_is_commanded(pytester: pytest.Pytester) -> None:
    """Azure's commands, GitHub's older ones and TeamCity's count anywhere in a line, GitHub's newer ones begin one."""
    suite = pytester.path / "list.yaml"
    name = json.dumps(f"::error::{ANYWHERE}")
    suite.write_text(f"forgetting: checklist\nname: {name}\ncases: {json.dumps(CASES_ANYWHERE)}\n")
    for side, said in (("old", ANYWHERE), ("new", f"no {ANYWHERE[1:]}")):
        path = pytester.path / f"{side}.json"
        record(path, suite, {"a": said})
        kept = json.loads(path.read_text())
        kept["model"]["ref"] = f"::error::{side} {ANYWHERE}"
        path.write_text(json.dumps(kept))
    result = pytester.runpytest_inprocess("--model=new.json", "--baseline=old.json", "list.yaml", "-rA", "-v")
    assert result.ret == 1
    text = result.stdout.str()
    assert "# #[error]taken" in text
    assert not re.search(r"##(vso|teamcity)?\[", text)
    assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]


def test_no_ci_server_is_commanded_by_a_suite_that_cannot_be_read(tmp_path: Path) -> None:
    """Its keys stand in messages."""
    (tmp_path / "list.yaml").write_text(f"forgetting: qa\n{json.dumps(ANYWHERE)}: 1\n")
    with pytest.raises(SuiteError, match=r"unknown key '# #\[error\]taken # #vso\["):
        load_suite(tmp_path / "list.yaml")
