"""examples/github-action/action.yml, which users copy, and the pipelines on the pages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.blocks import HOME, PAGES, ROOT, blocks
from tests.recordings import CAPITALS, record, write_capitals

ACTION: Mapping[str, Any] = yaml.safe_load((ROOT / "examples" / "github-action" / "action.yml").read_text())
STEPS = ACTION["runs"]["steps"]
SCRIPT = next(step for step in STEPS if "run" in step)


def run(folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run the action's script as a runner would, with `inputs` over the defaults."""
    given = {name: str(told.get("default", "")) for name, told in ACTION["inputs"].items()} | inputs
    # The pattern matches each, or this is where it fails.
    own = {name: given[re.fullmatch(r"\$\{\{ inputs\.(\w+) }}", value)[1]] for name, value in SCRIPT["env"].items()}  # type: ignore[index]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(HOME), "GITHUB_ACTIONS": "true", **own}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", SCRIPT["run"]]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A folder with a suite, and what two models said to it."""
    suite = write_capitals(tmp_path)
    record(tmp_path / "base.json", suite, CAPITALS)
    record(tmp_path / "new.json", suite, {**CAPITALS, "Spain": "Barcelona", "Peru": "Cusco"})
    return tmp_path


def test_a_loss_fails_the_step(recorded: Path) -> None:
    """With the report where it is uploaded from, and an annotation."""
    result = run(recorded, model="new.json", suites="capitals.yaml")
    assert result.returncode == 1
    assert "::error file=capitals.yaml" in result.stdout + result.stderr
    assert (recorded / ACTION["inputs"]["report"]["default"]).is_file()


def test_options_reach_pytest_and_nothing_runs_as_code(recorded: Path) -> None:
    """Words are parted; what a shell would take for a command is a word."""
    result = run(
        recorded, model="new.json", suites="capitals.yaml $(touch ran)", options="--max-drop=50% -p no:randomly"
    )
    assert result.returncode == 4
    assert not (recorded / "ran").exists()
    assert run(recorded, model="new.json", suites="capitals.yaml", options="--max-drop=50% -v").returncode == 0


def test_the_action_is_whole() -> None:
    """Every input is described, and used; each step runs one thing, in bash."""
    assert ACTION["runs"]["using"] == "composite"
    assert all({"name", "description"} <= ACTION.keys() and told["description"] for told in ACTION["inputs"].values())
    used = set(re.findall(r"inputs\.(\w+)", str(STEPS)))
    assert used == set(ACTION["inputs"])
    assert all(("run" in step) != ("uses" in step) for step in STEPS)
    assert SCRIPT["shell"] == "bash"
    assert "${{" not in SCRIPT["run"]


def test_the_page_gives_inputs_that_it_takes() -> None:
    """All that are required among them."""
    page = next(block.text for block in blocks("docs/ci.md") if "actions/forgetting" in block.text)
    step = next(s for s in yaml.safe_load(page)["jobs"]["gate"]["steps"] if "forgetting" in s.get("uses", ""))
    required = {name for name, told in ACTION["inputs"].items() if told.get("required")}
    assert required <= set(step["with"]) <= set(ACTION["inputs"])


PAGE_BLOCKS = [block for page in PAGES for block in blocks(page)]
PIPELINES = {
    "vendor.github-actions": [(ROOT / "examples/github-action/action.yml").read_text("utf-8")],
    "vendor.github-workflows": [block.text for block in PAGE_BLOCKS if ".github/workflows" in block.title],
    "vendor.gitlab-ci": [block.text for block in PAGE_BLOCKS if "gitlab" in block.title],
}


@pytest.mark.parametrize("schema", PIPELINES)
def test_pipelines_are_what_their_services_read(tmp_path: Path, schema: str) -> None:
    """By the JSON Schemas of workflows, actions and GitLab's pipelines."""
    pytest.importorskip("check_jsonschema")
    paths = [tmp_path / f"{at}.yml" for at in range(len(PIPELINES[schema]))]
    for path, text in zip(paths, PIPELINES[schema], strict=True):
        path.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, paths)]
    if schema == "vendor.gitlab-ci":
        command += ["--data-transform", "gitlab-ci"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
